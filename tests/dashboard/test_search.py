from patients import registering
from tests import make


def test_search_with_one_hit_opens_the_patient(patient, desk, sign_in):
    registering.index_all([patient])

    answer = sign_in(desk).get("/search/?q=avery")

    assert answer.url == f"/patients/{patient.pk}/"


def test_search_with_more_hits_lists_those_in_scope(atlanta, marietta, desk, sign_in):
    people = [make.patient(place) for place in (atlanta, atlanta, marietta)]
    registering.index_all(people)

    answer = sign_in(desk).get("/search/?q=avery")

    assert [one.pk for one in answer.context["found"]] == [one.pk for one in people[:2]]


def test_search_refused_or_empty_says_so(patient, desk, sign_in):
    client = sign_in(desk)

    assert client.get("/search/", {"q": "x" * 201}).status_code == 400
    assert "Nobody found" in client.get("/search/?q=zzz").content.decode()
    assert client.get("/search/").status_code == 200


def test_nobody_found_shows_who_sounds_alike(atlanta, patient, desk, sign_in):
    registering.index_all([patient])

    page = sign_in(desk).get("/search/?q=Afery").content.decode()

    assert "sound like it" in page
    assert f'href="/patients/{patient.pk}/"' in page
