"""What the endpoints of evaluations and of visit notes take and give alike."""

from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication

from clinic import accounts, rest, times
from clinic.errors import RuleBroken
from evaluations import signing


class AddendumSerializer(rest.StrictSerializer):
    text = rest.TextField(max_length=signing.LONGEST_ADDENDUM, trim_whitespace=False)
    reason = rest.LineField(max_length=signing.LONGEST_REASON)


class NoteAddendumSerializer(AddendumSerializer):
    serious_reaction = rest.TruthField(
        default=False, help_text="A serious reaction showed after the visit: an incident opens."
    )


class WithdrawalSerializer(rest.StrictSerializer):
    version = rest.WholeField(min_value=0, max_value=2**31 - 1, help_text="The one that was read.")
    reason = rest.LineField(max_length=signing.LONGEST_REASON)
    confirmed = rest.TruthField(help_text="True once somebody has looked at it a second time.")


class SignSerializer(rest.StrictSerializer):
    version = rest.WholeField(
        required=False, min_value=0, max_value=2**31 - 1, help_text="The one that was read; another gets 409."
    )


def to_sign(request) -> dict:
    """What a request to sign holds. In a browser session the password must have been asked again lately (403
    `password_needed`); a token is proof by itself."""
    in_browser = isinstance(request.successful_authenticator, SessionAuthentication)
    if in_browser and accounts.password_is_needed(request):
        raise RuleBroken("Enter your password again before you sign.", code="password_needed", status=403)
    sent = SignSerializer(data=request.data)
    sent.is_valid(raise_exception=True)
    return sent.validated_data


class FilterSerializer(serializers.Serializer):
    patient = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)


def instant(value, zone):
    return times.local(value, zone).isoformat() if value else None


def withdrawal(evaluation):
    """Null for what counts; of a chart brought in as entered in error its own file says no more than that."""
    if not evaluation.is_entered_in_error:
        return None
    said = getattr(evaluation, "withdrawal", None)
    zone = evaluation.location.time_zone
    return {
        "reason": said.reason if said else None,
        "by": str(said.by) if said else None,
        "at": instant(said.at, zone) if said else None,
    }


def addenda(record):
    """Of an evaluation or a note, by the clock of its clinic."""
    return [
        {"text": a.text, "reason": a.reason, "by": str(a.by), "at": instant(a.at, record.location.time_zone)}
        for a in record.addenda.select_related("by")
    ]
