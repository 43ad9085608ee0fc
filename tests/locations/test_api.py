from locations.models import Practitioner
from tests import make


def test_locations_in_scope_with_rooms_and_hours(atlanta, marietta, desk, api):
    closed = atlanta.rooms.first()
    closed.is_open = False
    closed.save()

    found = api(desk).get("/api/v1/locations/").json()["results"]

    assert [row["slug"] for row in found] == ["atlanta"]
    assert found[0]["time_zone"] == "America/New_York"
    assert found[0]["address"] == "1 Example Street, Atlanta, GA"
    assert len(found[0]["rooms"]) == 3
    assert found[0]["opening_hours"][0] == {
        "weekday": 0, "opens": "08:00:00", "closes": "18:00:00", "ends_next_day": False,
    }  # fmt: skip


def test_location_by_slug_and_out_of_scope(atlanta, marietta, desk, api):
    client = api(desk)

    assert client.get("/api/v1/locations/atlanta/").json()["name"] == "Atlanta"
    assert client.get("/api/v1/locations/marietta/").status_code == 404


def test_practitioners_with_their_locations(atlanta, marietta, desk, api):
    both = make.practitioner(atlanta, marietta, name="Robin Sample")
    Practitioner.objects.update(is_bookable_online=True)
    make.practitioner(marietta)
    retired = make.practitioner(atlanta)
    retired.is_active = False
    retired.save()

    found = api(desk).get("/api/v1/practitioners/").json()["results"]

    assert found == [
        {"id": both.pk, "name": "Robin Sample, DC", "locations": ["atlanta", "marietta"], "is_bookable_online": True}
    ]


def test_lists_ask_the_same_queries_for_one_and_three(owner, api, django_assert_num_queries):
    client = api(owner)
    client.get("/api/v1/locations/")  # the roles are asked once for the user
    for slug in ("one", "two", "three"):
        make.practitioner(make.location(slug))
        with django_assert_num_queries(4):
            client.get("/api/v1/locations/")
        with django_assert_num_queries(4):
            client.get("/api/v1/practitioners/")
