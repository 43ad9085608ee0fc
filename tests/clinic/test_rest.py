from io import BytesIO

import pytest
from rest_framework import exceptions, serializers
from rest_framework.parsers import JSONParser

from clinic.api_defaults import MAX_DEPTH, StrictJSONParser
from clinic.errors import RuleBroken
from clinic.models import IdempotentRequest
from clinic.rest import StrictSerializer, explain, once


def parse(body):
    return StrictJSONParser().parse(BytesIO(body))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{}", {}),
        (b'{"a": [1, 2.5, null, true]}', {"a": [1, 2.5, None, True]}),
        ('{"name": "Zoë 张"}'.encode(), {"name": "Zoë 张"}),
        (b'{"a": "[[[[{{{{"}', {"a": "[[[[{{{{"}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
    ],
)
def test_good_json_is_read(body, expected):
    assert parse(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut off"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'"text"', id="a string"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"a": NaN}', id="NaN"),
        pytest.param(b'{"a": -Infinity}', id="Infinity"),
        pytest.param(b'{"a": 1e999}', id="a float out of range"),
        pytest.param(b'{"a": 1, "a": 2}', id="the same key twice"),
        pytest.param(b'{"b": {"a": 1, "a": 2}}', id="the same key twice inside"),
        pytest.param(b'{"a": "\\u0000"}', id="null byte"),
        pytest.param(b'{"\\u0000": 1}', id="null byte in a key"),
        pytest.param(b'{"a": ["\\ud800"]}', id="lone surrogate"),
        pytest.param(b'{"a": "\xff"}', id="not UTF-8"),
        pytest.param(b'\xef\xbb\xbf{"a": 1}', id="byte order mark"),
        pytest.param(b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1), id="nested too deeply"),
        pytest.param(b'{"a":' + b"[" * 100_000, id="bottomless"),
        pytest.param(b'{"a": ' + b"9" * 5000 + b"}", id="a number of 5000 digits"),
    ],
)
def test_bad_json_is_refused_with_a_sentence(body):
    with pytest.raises(exceptions.ParseError, match=r"The body (is not acceptable JSON|must be a JSON object)"):
        parse(body)


def test_the_usual_parser_would_have_taken_a_repeated_key():
    assert JSONParser().parse(BytesIO(b'{"a": 1, "a": 2}')) == {"a": 2}


class VisitSerializer(StrictSerializer):
    minutes = serializers.IntegerField(max_value=480)


def test_an_unknown_field_is_named():
    serializer = VisitSerializer(data={"minutes": 15, "colour": "red"})

    assert not serializer.is_valid()
    assert serializer.errors == {"colour": ["Unknown field."]}


def test_a_validation_error_is_flat():
    error = exceptions.ValidationError({"findings": [{}, {"value": ["Too large."]}], "version": ["Required."]})

    answer = explain(error, {})

    assert answer.status_code == 400
    assert answer.data == {
        "code": "invalid",
        "detail": "findings.1.value: Too large.; version: Required.",
        "fields": {"findings.1.value": "Too large.", "version": "Required."},
    }


@pytest.mark.django_db
def test_a_broken_rule_is_explained_with_its_status():
    taken = RuleBroken("Taken.", code="slot_taken", fields={"starts_at": "Taken."})
    odd = RuleBroken("Odd.", code="odd", status=422)

    assert explain(taken, {}).data == {
        "code": "slot_taken", "detail": "Taken.", "fields": {"starts_at": "Taken."}, "nearest": [],
    }  # fmt: skip
    assert explain(taken, {}).status_code == 409
    assert (explain(odd, {}).status_code, explain(odd, {}).data) == (
        422,
        {"code": "odd", "detail": "Odd.", "fields": {}},
    )


class Request:
    """What `once` reads of a request."""

    path = "/api/v1/appointments/"

    def __init__(self, user, key="", data=None):
        self.user, self.data = user, data or {}
        self.headers = {"Idempotency-Key": key} if key else {}


class Act:
    """Counts how often it acted."""

    def __init__(self):
        self.times = 0

    def __call__(self):
        self.times += 1
        return 201, {"number": self.times}


def test_a_repeat_gets_the_first_answer_and_does_not_act(owner):
    act = Act()

    answers = [once(Request(owner, "k1", {"a": 1}), act) for _ in range(3)]

    assert answers == [(201, {"number": 1})] * 3
    assert act.times == 1


def test_without_a_key_it_acts_each_time(owner):
    act = Act()

    assert [once(Request(owner), act)[1]["number"] for _ in range(2)] == [1, 2]


def test_the_key_of_another_person_is_another_key(owner, desk):
    act = Act()

    assert [once(Request(person, "k1"), act)[1]["number"] for person in (owner, desk)] == [1, 2]


def test_the_same_key_for_another_body_is_refused(owner):
    once(Request(owner, "k1", {"a": 1}), Act())

    with pytest.raises(RuleBroken) as refused:
        once(Request(owner, "k1", {"a": 2}), Act())
    assert (refused.value.code, refused.value.status) == ("key_reused", 422)


def test_a_refused_act_leaves_no_key(owner):
    def refuse():
        raise RuleBroken("Taken.", code="slot_taken")

    with pytest.raises(RuleBroken):
        once(Request(owner, "k1"), refuse)

    assert not IdempotentRequest.objects.exists()
    assert once(Request(owner, "k1"), Act()) == (201, {"number": 1})


@pytest.mark.parametrize("key", ["x" * 201, "a\x00b", "a\nb"])
def test_an_unusable_key_is_a_400(owner, key):
    with pytest.raises(RuleBroken) as refused:
        once(Request(owner, key), Act())

    assert (refused.value.code, refused.value.status) == ("bad_key", 400)
