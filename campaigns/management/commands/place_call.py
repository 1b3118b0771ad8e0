"""``place_call``: a real call to a real telephone, from the terminal."""

from argparse import ArgumentParser
from time import monotonic, sleep
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from calls import telephony
from calls.enums import AttemptStatus, label
from calls.errors import AgentError, DialRefusedError, TelephonyError
from calls.models import CallAttempt
from campaigns import services
from campaigns.gate import Decision

_POLL_SECONDS = 0.5
_ASK_EVERY_SECONDS = 20.0

_REMARKS = {
    AttemptStatus.UNKNOWN: "the carrier's answer was lost; its list of calls will tell, in a minute or two",
    AttemptStatus.NOT_PLACED: "nobody was called",
}


class Command(BaseCommand):
    """Show what would be dialled, ask, dial, and follow the call to its end."""

    help = (
        "Call a telephone. It rings for real: you are asked before, and answer for the consent of whom you call. "
        "The hour, opt-outs and every other rule of the gate hold as in a campaign."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Define the options."""
        parser.add_argument("number", help="whom to call, in E.164, such as +442079460000")
        parser.add_argument("--agent", help="id of a published agent (default: the default agent)")
        parser.add_argument(
            "--var", action="append", default=[], metavar="NAME=VALUE", help="a variable of the agent's texts"
        )
        parser.add_argument("--from", dest="from_e164", default="", help="caller ID (default: TWILIO_PHONE_NUMBER)")
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument("--no-follow", action="store_true", help="return as soon as the carrier has the call")

    def handle(self, *_args: Any, number: str, agent: str | None, **options: Any) -> None:
        """Place one call."""
        order = {"agent_id": agent, "variables": _variables(options["var"]), "from_e164": options["from_e164"]}
        try:
            plan = telephony.plan_call(number, **order)
            if not (options["yes"] or self._is_wanted(plan)):
                self.stdout.write("Nobody was called.")
                return
            call = services.dial_once(number, by=None, is_confirmed=True, **order)
        except (AgentError, DialRefusedError) as error:
            raise CommandError(str(error)) from None
        if call.attempt is None:
            message = f"the gate holds this call back: {label(call.decision.reason).lower()} {_evidence(call.decision)}"
            raise CommandError(message.rstrip())
        attempt = call.attempt
        self._show(attempt)
        if not options["no_follow"]:
            attempt = self._follow(attempt)
        if attempt.is_over and attempt.status != AttemptStatus.COMPLETED:
            message = f"the call ended as {attempt.status}"
            raise CommandError(message)

    def _is_wanted(self, plan: telephony.CallPlan) -> bool:
        self.stdout.write(f"{plan.agent.spec.name} calls {plan.to_e164} from {plan.from_e164}.")
        for name, value in plan.variables.items():
            self.stdout.write(f"  {name} = {value}")
        return input("Did the owner of this number agree to be called? Dial now? [y/N] ").strip().lower() == "y"

    def _follow(self, attempt: CallAttempt) -> CallAttempt:
        """Show every change until the call is over; an interrupt leaves the call alone."""
        shown, asked_at = attempt.status, monotonic()
        try:
            while not attempt.is_over:
                sleep(_POLL_SECONDS)
                if attempt.status == AttemptStatus.UNKNOWN and monotonic() - asked_at >= _ASK_EVERY_SECONDS:
                    asked_at = monotonic()
                    self._reconcile(attempt)
                attempt.refresh_from_db()
                if attempt.status != shown:
                    self._show(attempt)
                    shown = attempt.status
        except KeyboardInterrupt:
            self.stdout.write("The call goes on; it is in the admin.")
        return attempt

    def _reconcile(self, attempt: CallAttempt) -> None:
        try:
            telephony.reconcile(attempt.pk, now=timezone.now())
        except TelephonyError as error:
            self.stderr.write(str(error))

    def _show(self, attempt: CallAttempt) -> None:
        seconds = (timezone.now() - attempt.created_at).total_seconds()
        remark = attempt.error or _REMARKS.get(AttemptStatus(attempt.status), "")
        if attempt.duration_seconds is not None:
            remark = f"{attempt.duration_seconds} s on the line"
        self.stdout.write(f"{seconds:6.1f} s  {attempt.status:<12} {remark}".rstrip())


def _evidence(decision: Decision) -> str:
    """Give the figures behind a refusal in one pair of brackets; nothing where there are none."""
    figures = [f"{name} {value}" for name, value in decision.detail.items() if value not in ("", [], None)]
    return f"({', '.join(figures)})" if figures else ""


def _variables(pairs: list[str]) -> dict[str, str]:
    """Read ``NAME=VALUE`` pairs. Raises ``CommandError`` that names the one which is none."""
    variables = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not (separator and name.strip()):
            message = f"--var {pair}: write it as NAME=VALUE"
            raise CommandError(message)
        variables[name.strip()] = value
    return variables
