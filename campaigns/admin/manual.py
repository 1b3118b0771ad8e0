"""One call by hand: number, agent, variables; the gate's answer before anything rings."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from calls.admin.fields import PairsField
from calls.errors import AgentError, DialRefusedError
from calls.models import Agent
from campaigns import services
from campaigns.admin.words import explain, remedy
from campaigns.models import CallerId

if TYPE_CHECKING:
    from campaigns.admin.campaigns import CampaignAdmin

_DEFAULT_REGION = "US"


class ManualCallForm(forms.Form):
    """Whom to call, with which agent, what it shall know."""

    number = forms.CharField(
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "tel", "autocomplete": "off"}),
        help_text="With the country's code, such as +44 20 7946 0000; without one it is read as a US number.",
    )
    agent = forms.ModelChoiceField(Agent.objects.callable(), widget=UnfoldAdminSelectWidget())
    caller_id = forms.ModelChoiceField(
        CallerId.objects.filter(is_active=True),
        required=False,
        widget=UnfoldAdminSelectWidget(),
        label="Caller ID",
        empty_label="The installation's number",
    )
    variables = PairsField(help_text="Values for the agent's {{variables}}, one a line: first_name = Ann")
    is_confirmed = forms.BooleanField(
        label="They agreed to be called",
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="I confirm that the owner of this number agreed to be called by an artificial voice.",
    )

    def clean_number(self) -> str:
        """Give the number as E.164."""
        import phonenumbers  # noqa: PLC0415 (58 modules, for who calls by hand)

        typed = self.cleaned_data["number"]
        try:
            parsed = phonenumbers.parse(typed, _DEFAULT_REGION)
        except phonenumbers.NumberParseException as error:
            message = f"This cannot be read as a telephone number: {error}"
            raise forms.ValidationError(message) from None
        if not phonenumbers.is_possible_number(parsed):
            message = "No telephone number has this many digits."
            raise forms.ValidationError(message)
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


class ManualCalls:
    """The page."""

    def __init__(self, model_admin: "CampaignAdmin") -> None:
        self._admin = model_admin

    def page(self, request: HttpRequest) -> HttpResponse:
        """Show the form; ask the gate; call."""
        if not request.user.has_perm("campaigns.call_once"):
            raise PermissionDenied
        first = {"number": request.GET.get("number", ""), "agent": Agent.objects.filter(is_default=True).first()}
        form = ManualCallForm(request.POST or None, initial=first)
        answer: dict[str, Any] = {}
        if request.method == "POST" and form.is_valid():
            if "dial" in request.POST:
                answer, address = self._dial(request, form)
                if address:
                    return HttpResponseRedirect(address)
            else:
                answer = _ask(form)
        context = {
            **self._admin.admin_site.each_context(request),
            "title": "Call one number",
            "form": form,
            **answer,
        }
        return TemplateResponse(request, "admin/campaigns/call_once.html", context)

    def _dial(self, request: HttpRequest, form: ManualCallForm) -> tuple[dict[str, Any], str]:
        order = form.cleaned_data
        if not order["is_confirmed"]:
            form.add_error("is_confirmed", "Without this nobody is called.")
            return {}, ""
        caller_id = order["caller_id"]
        user: Any = request.user
        try:
            call = services.dial_once(
                order["number"],
                agent_id=order["agent"].pk,
                variables=order["variables"],
                by=user,
                is_confirmed=True,
                from_e164=caller_id.e164 if caller_id else "",
            )
        except (DialRefusedError, AgentError) as error:
            form.add_error(None, str(error))
            return {}, ""
        if call.attempt is None:
            return _shown(call.decision), ""
        self._admin.message_user(request, "The telephone rings.", messages.SUCCESS)
        return {}, reverse("admin:calls_callattempt_change", args=[call.attempt.pk])


def _ask(form: ManualCallForm) -> dict[str, Any]:
    order = form.cleaned_data
    return _shown(services.decide_once(order["number"], is_confirmed=order["is_confirmed"], at=timezone.now()))


def _shown(decision: Any) -> dict[str, Any]:
    return {
        "decision": decision,
        "decision_words": explain(decision.reason),
        "decision_remedy": "" if decision.is_allowed else remedy(decision.reason),
    }
