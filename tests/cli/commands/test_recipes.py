"""``tagline recipes``."""

import json
import tomllib

from tagline.recipes import recipe_names


def test_recipes(call, here):
    status, out, _ = call("recipes")
    assert status == 0
    assert all(name in out for name in recipe_names())
    status, out, _ = call("recipes", "--json")
    assert [recipe["recipe"]["name"] for recipe in json.loads(out)] == list(recipe_names())
    status, out, _ = call("recipes", "show", "fast")
    assert tomllib.loads(out)["recipe"]["name"] == "fast"
    (here / "mine.toml").write_text(out.replace('name = "fast"', 'name = "mine"'))
    status, out, _ = call("recipes", "show", "mine.toml")
    assert tomllib.loads(out)["recipe"]["name"] == "mine"
