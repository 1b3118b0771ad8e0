from calls.sandbox.ledger import Form, LedgerCall

ORDER = {
    "To": "+15005550101",
    "From": "+15005550100",
    "Url": "http://us/answer",
    "StatusCallback": "http://us/status",
    "AsyncAmdStatusCallback": "http://us/amd",
}


def test_what_is_told_of_a_call_is_numbered_and_named_as_twilio_does() -> None:
    call = LedgerCall("AC1", ORDER)
    names = {
        "CallSid": call.sid,
        "AccountSid": "AC1",
        "ApiVersion": "2010-04-01",
        "Direction": "outbound-api",
        "To": "+15005550101",
        "From": "+15005550100",
    }
    assert call.advance("ringing") == Form("http://us/status", names | {"CallStatus": "ringing", "SequenceNumber": "0"})
    assert call.question("http://us/answer", Digits="9") == Form(
        "http://us/answer", names | {"CallStatus": "ringing", "Digits": "9"}
    )
    assert call.verdict("human", 1800) == Form(
        "http://us/amd", names | {"AnsweredBy": "human", "MachineDetectionDuration": "1800"}
    )
    assert call.stream_event("http://us/stream", "MZ1", "stream-error", StreamError="x") == Form(
        "http://us/stream", names | {"StreamSid": "MZ1", "StreamEvent": "stream-error", "StreamError": "x"}
    )
    ended = call.advance("completed", CallDuration="7")
    assert ended is not None
    assert (ended.fields["SequenceNumber"], ended.fields["CallDuration"]) == ("1", "7")
    assert (call.is_over, call.duration) == (True, "7")


def test_nobody_is_told_who_does_not_want_to_know() -> None:
    call = LedgerCall("AC1", {name: ORDER[name] for name in ("To", "From", "Url")})
    assert (call.advance("busy"), call.verdict("human", 1), call.is_over) == (None, None, True)
