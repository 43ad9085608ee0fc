import pytest

from tests import make


def test_first_location_until_another_is_chosen(atlanta, marietta, sign_in):
    client = sign_in(make.user("desk", atlanta, marietta))

    assert client.get("/patients/").context["current_location"] == atlanta
    answer = client.post("/locations/choose/", {"location": "marietta", "next": "/patients/?q=x"})

    assert answer.url == "/patients/?q=x"
    assert client.get("/patients/").context["current_location"] == marietta


def test_choice_out_of_scope_is_refused(atlanta, marietta, desk, sign_in):
    client = sign_in(desk)

    client.post("/locations/choose/", {"location": "marietta"})

    page = client.get("/patients/")
    assert page.context["current_location"] == atlanta
    assert [str(m) for m in page.context["messages"]] == ["That location is not one of yours."]


def test_choice_lapses_with_the_role(atlanta, marietta, sign_in):
    user = make.user("desk", atlanta, marietta)
    client = sign_in(user)
    client.post("/locations/choose/", {"location": "marietta"})

    user.assignments.filter(location=marietta).delete()

    assert client.get("/patients/").context["current_location"] == atlanta


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_never_leads_outside(atlanta, desk, sign_in, target):
    answer = sign_in(desk).post("/locations/choose/", {"location": "atlanta", "next": target})

    assert answer.url == "/"


def test_choosing_by_get_changes_nothing(atlanta, desk, sign_in):
    assert sign_in(desk).get("/locations/choose/?location=atlanta").status_code == 405


def test_rail_shows_what_the_role_may_do(atlanta, desk, sign_in):
    labels = [entry["label"] for entry in sign_in(desk).get("/patients/").context["my_rail"]]

    assert {"Today", "Patients", "Calendar"} <= set(labels)


def test_auditor_sees_no_patients_in_the_rail(atlanta, sign_in):
    page = sign_in(make.user("auditor")).post("/locations/choose/", {"location": "atlanta"}, follow=True)

    assert page.redirect_chain[-1][0] == "/messages/"
    assert 'href="/patients/"' not in page.content.decode()


def shown(client, address="/"):
    return [place.slug for place in client.get(address).context["locations"]]


def test_locations_side_by_side_are_kept_until_one_works_elsewhere(atlanta, marietta, nashville, sign_in):
    client = sign_in(make.user("desk", atlanta, marietta, nashville))
    before = shown(client)

    client.post("/locations/show/", {"location": ["atlanta", "marietta"], "next": "/"})
    chosen = shown(client)
    client.post("/locations/choose/", {"location": "nashville"})

    assert (before, chosen, shown(client)) == (["atlanta"], ["atlanta", "marietta"], ["nashville"])


def test_locations_that_the_address_names_go_first(atlanta, marietta, nashville, sign_in):
    client = sign_in(make.user("desk", atlanta, marietta))

    assert shown(client, "/?location=marietta&location=nashville") == ["marietta"]
    assert shown(client, "/?location=nashville") == ["atlanta"]
    assert shown(client) == ["atlanta"]


def test_showing_others_than_the_current_goes_to_work_there(atlanta, marietta, nashville, sign_in):
    client = sign_in(make.user("desk", atlanta, marietta, nashville))

    client.post("/locations/show/", {"location": ["marietta", "nashville"]})

    assert shown(client) == ["marietta", "nashville"]
    assert client.get("/").context["current_location"] == marietta


@pytest.mark.parametrize("slugs", [[], ["marietta"], ["\0"]])
def test_showing_nothing_of_ones_own_is_refused(atlanta, marietta, desk, sign_in, slugs):
    answer = sign_in(desk).post("/locations/show/", {"location": slugs}, follow=True)

    assert [str(m) for m in answer.context["messages"]] == ["Choose at least one location."]
    assert answer.context["locations"] == [atlanta]
