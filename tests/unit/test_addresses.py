"""How addresses are hung up: cheaply, and read when somebody first comes."""

from typing import Annotated

import pytest
from fastapi import FastAPI, Query
from starlette.testclient import TestClient

from dashboard.addresses import Address, Addresses, Wing


def street(prefix: str = "") -> Addresses:
    addresses = Addresses(prefix)

    @addresses.get("/houses/{number}")
    def house(number: int, floor: Annotated[int, Query(le=9)] = 0) -> dict[str, int]:
        return {"number": number, "floor": floor}

    @addresses.post("/houses")
    def build() -> str:
        return "built"

    return addresses


@pytest.fixture(params=["one by one", "as a wing"])
def visitor(request) -> TestClient:
    app = FastAPI()
    if request.param == "as a wing":
        app.router.routes.append(Wing(street("/street")))
    else:
        app.router.routes.extend(street("/street").routes)
    return TestClient(app)


def test_it_answers_like_any_other(visitor):
    assert visitor.get("/street/houses/7?floor=2").json() == {"number": 7, "floor": 2}
    assert visitor.post("/street/houses").json() == "built"
    assert visitor.get("/street/houses/7?floor=20").status_code == 422
    assert visitor.get("/street/houses/7/cellar").status_code == 404
    assert visitor.get("/streets/houses/7").status_code == 404


def test_another_verb_is_said_to_be_wrong(visitor):
    assert visitor.delete("/street/houses/7").status_code == 405


def test_what_it_takes_is_read_when_somebody_first_comes():
    house, build = street().routes

    assert isinstance(house, Address)
    assert "dependant" not in vars(house)
    assert [field.name for field in house.dependant.query_params] == ["floor"]
    assert "dependant" not in vars(build)
    with pytest.raises(AttributeError):
        _ = house.balcony
