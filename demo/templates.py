"""The sentence templates of the demo grammar, each filled at once in every language."""

import random
from collections.abc import Callable

from demo import phrases
from demo.lexicon import PEOPLE, PLACES, VERBS, Noun, Place, Verb

Words = tuple[str, str, str, str]
Template = Callable[[random.Random], Words]


def _act(source: random.Random, *, past: bool = False) -> tuple[Verb, Noun, Place | None]:
    verb = source.choice([verb for verb in VERBS if past or not verb.past_only])
    place = source.choice(PLACES) if verb.anywhere and source.random() < 0.6 else None
    return verb, source.choice(verb.objects), place


def _where(place: Place | None) -> Words:
    if place is None:
        return "", "", "", ""
    return f" {place.en_at}", f"在{place.zh}", f"{place.ja}で", f"{place.de_at} "


def _past(source: random.Random) -> Words:
    time, who, (verb, what, place) = (
        source.choice(phrases.PAST),
        source.choice(PEOPLE),
        _act(source, past=True),
    )
    at = _where(place)
    return (
        f"{time[0]} {who.en} {verb.en_past} {what.en}{at[0]}",
        f"{time[1]}{who.zh}{at[1]}{verb.zh}了{what.zh}",
        f"{time[2]}、{who.ja}は{at[2]}{what.ja}を{verb.ja_masu}ました",
        f"{time[3]} hat {who.nom} {at[3]}{what.acc} {verb.de_participle}",
    )


def _future(source: random.Random) -> Words:
    time, who, (verb, what, place) = (
        source.choice(phrases.FUTURE),
        source.choice(PEOPLE),
        _act(source),
    )
    at = _where(place)
    return (
        f"{time[0]} {who.en} will {verb.en} {what.en}{at[0]}",
        f"{time[1]}{who.zh}会{at[1]}{verb.zh}{what.zh}",
        f"{time[2]}、{who.ja}は{at[2]}{what.ja}を{verb.ja_masu}ます",
        f"{time[3]} wird {who.nom} {at[3]}{what.acc} {verb.de_infinitive}",
    )


def _now(source: random.Random) -> Words:
    who, (verb, what, place) = source.choice(PEOPLE), _act(source)
    at = _where(place)
    return (
        f"{who.en} is {verb.en_ing} {what.en}{at[0]}",
        f"{who.zh}正{at[1] or '在'}{verb.zh}{what.zh}",
        f"{who.ja}は{at[2]}{what.ja}を{verb.ja_te}います",
        f"{who.nom} {verb.de_third} gerade {at[3]}{what.acc}",
    )


def _habit(source: random.Random) -> Words:
    time, who, (verb, what, place) = (
        source.choice(phrases.HABIT),
        source.choice(PEOPLE),
        _act(source),
    )
    at = _where(place)
    return (
        f"{who.en} {verb.en_third} {what.en}{at[0]} {time[0]}",
        f"{who.zh}{time[1]}{at[1]}{verb.zh}{what.zh}",
        f"{who.ja}は{time[2]}{at[2]}{what.ja}を{verb.ja_masu}ます",
        f"{who.nom} {verb.de_third} {time[3]} {at[3]}{what.acc}",
    )


def _want(source: random.Random) -> Words:
    who, (verb, what, place) = source.choice(PEOPLE), _act(source)
    at = _where(place)
    return (
        f"{who.en} wants to {verb.en} {what.en}{at[0]}",
        f"{who.zh}想{at[1]}{verb.zh}{what.zh}",
        f"{who.ja}は{at[2]}{what.ja}を{verb.ja_masu}たがっています",
        f"{who.nom} möchte {at[3]}{what.acc} {verb.de_infinitive}",
    )


def _must(source: random.Random) -> Words:
    day, who, (verb, what, _) = (
        source.choice(phrases.WEEKDAYS),
        source.choice(PEOPLE),
        _act(source),
    )
    return (
        f"{who.en} must {verb.en} {what.en} before {day[0]}",
        f"{who.zh}必须在{day[1]}之前{verb.zh}{what.zh}",
        f"{who.ja}は{day[2]}までに{what.ja}を{verb.ja_nai}なければなりません",
        f"{who.nom} muss vor {day[3]} {what.acc} {verb.de_infinitive}",
    )


def _together(source: random.Random) -> Words:
    time = source.choice(phrases.FUTURE)
    who, other = source.sample(PEOPLE, 2)
    verb, what, _ = _act(source)
    return (
        f"{time[0]} {who.en} will {verb.en} {what.en} with {other.en}",
        f"{time[1]}{who.zh}会和{other.zh}一起{verb.zh}{what.zh}",
        f"{time[2]}、{who.ja}は{other.ja}と一緒に{what.ja}を{verb.ja_masu}ます",
        f"{time[3]} wird {who.nom} mit {other.dat} {what.acc} {verb.de_infinitive}",
    )


def _give(source: random.Random) -> Words:
    time, what = source.choice(phrases.PAST), source.choice(phrases.HANDED)
    who, other = source.sample(PEOPLE, 2)
    return (
        f"{time[0]} {who.en} gave {what.en} to {other.en}",
        f"{time[1]}{who.zh}把{what.zh}交给了{other.zh}",
        f"{time[2]}、{who.ja}は{other.ja}に{what.ja}を渡しました",
        f"{time[3]} hat {who.nom} {other.dat} {what.acc} gegeben",
    )


def _wait(source: random.Random) -> Words:
    who, other = source.sample(PEOPLE, 2)
    spot, side = source.choice(phrases.MEETING_POINTS), source.choice(phrases.SIDES[1:])
    return (
        f"{who.en} is waiting for {other.en} {side[0]} {spot.en}",
        f"{who.zh}正在{spot.zh}{side[1]}等{other.zh}",
        f"{who.ja}は{spot.ja}の{side[2]}で{other.ja}を待っています",
        f"{who.nom} wartet {side[3]} {spot.dat} auf {other.acc}",
    )


def _travel(source: random.Random) -> Words:
    time, who, place, means = (
        source.choice(phrases.HABIT),
        source.choice(PEOPLE),
        source.choice(PLACES[2:]),
        source.choice(phrases.MEANS),
    )
    return (
        f"{who.en} goes {place.en_to} {means[0]} {time[0]}",
        f"{who.zh}{time[1]}{means[1]}去{place.zh}",
        f"{who.ja}は{time[2]}{means[2]}{place.ja}へ行きます",
        f"{who.nom} fährt {time[3]} {means[3]} {place.de_to}",
    )


def _depart(source: random.Random) -> Words:
    vehicle, city, day, hour = (
        source.choice(phrases.DEPARTING),
        source.choice(phrases.CITIES),
        source.choice(phrases.DEPARTURE_DAYS),
        source.choice(phrases.HOURS),
    )
    return (
        f"the {vehicle[0]} to {city[0]} leaves at {hour[0]} o'clock {day[0]}",
        f"去{city[1]}的{vehicle[1]}{day[1]}{hour[1]}点出发",
        f"{city[2]}行きの{vehicle[2]}は{day[2]}{hour[2]}時に出発します",
        f"{vehicle[3]} nach {city[3]} {vehicle[4]} {day[3]} um {hour[3]} Uhr ab",
    )


def _weather(source: random.Random) -> Words:
    time, city, sky = (
        source.choice(phrases.FUTURE),
        source.choice(phrases.CITIES),
        source.choice(phrases.WEATHER),
    )
    return (
        f"it will {sky[0]} in {city[0]} {time[0]}",
        f"{time[1]}{city[1]}会{sky[1]}",
        f"{time[2]}、{city[2]}では{sky[2]}でしょう",
        f"{time[3]} wird es in {city[3]} {sky[3]}",
    )


def _lying(source: random.Random) -> Words:
    colour, side = source.choice(phrases.COLOURS), source.choice(phrases.SIDES)
    what, mark = source.choice(phrases.LYING), source.choice(phrases.LANDMARKS)
    if what is mark:
        mark = phrases.LANDMARKS[0]
    return (
        f"the {colour[0]} {what.en[4:]} is {side[0]} {mark.en}",
        f"{colour[1]}的{what.zh}在{mark.zh}{side[1]}",
        f"{colour[2]}{what.ja}は{mark.ja}の{side[2]}にあります",
        f"{_der(what)} {colour[3]}e {what.bare} ist {side[3]} {mark.dat}",
    )


def _sleeping(source: random.Random) -> Words:
    colour, side = source.choice(phrases.COLOURS), source.choice(phrases.SIDES)
    pet, mark = source.choice(phrases.PETS), source.choice(phrases.LANDMARKS)
    return (
        f"the {colour[0]} {pet.en[4:]} is sleeping {side[0]} {mark.en}",
        f"{colour[1]}的{pet.zh}正在{mark.zh}{side[1]}睡觉",
        f"{colour[2]}{pet.ja}は{mark.ja}の{side[2]}で寝ています",
        f"{_der(pet)} {colour[3]}e {pet.bare} schläft {side[3]} {mark.dat}",
    )


def _like(source: random.Random) -> Words:
    who, colour, what = (
        source.choice(PEOPLE),
        source.choice(phrases.COLOURS),
        source.choice(phrases.LYING + phrases.SOLD + phrases.PETS),
    )
    ending = "en" if what.gender == "m" else "e"
    return (
        f"{who.en} likes the {colour[0]} {what.en[4:]}",
        f"{who.zh}喜欢{colour[1]}的{what.zh}",
        f"{who.ja}は{colour[2]}{what.ja}が好きです",
        f"{who.nom} mag {what.acc[:3]} {colour[3]}{ending} {what.bare}",
    )


def _there_are(source: random.Random) -> Words:
    number, things = source.choice(phrases.NUMBERS), source.choice(phrases.COUNTED)
    side, mark = source.choice(phrases.SIDES), source.choice(phrases.LANDMARKS)
    return (
        f"there are {number[0]} {things[0]} {side[0]} {mark.en}",
        f"{mark.zh}{side[1]}有{number[1]}{things[1]}{things[2]}",
        f"{mark.ja}の{side[2]}に{things[3]}が{number[2]}{things[4]}あります",
        f"{side[3]} {mark.dat} liegen {number[3]} {things[5]}",
    )


def _buy_some(source: random.Random) -> Words:
    time, who, number, things = (
        source.choice(phrases.PAST),
        source.choice(PEOPLE),
        source.choice(phrases.NUMBERS),
        source.choice(phrases.COUNTED),
    )
    return (
        f"{time[0]} {who.en} bought {number[0]} {things[0]}",
        f"{time[1]}{who.zh}买了{number[1]}{things[1]}{things[2]}",
        f"{time[2]}、{who.ja}は{things[3]}を{number[2]}{things[4]}買いました",
        f"{time[3]} hat {who.nom} {number[3]} {things[5]} gekauft",
    )


def _compare(source: random.Random) -> Words:
    one, other = source.sample(phrases.SIGHTS, 2)
    how = source.choice(phrases.COMPARED)
    return (
        f"{one.en} is {how[0]} than {other.en}",
        f"{one.zh}比{other.zh}{how[1]}",
        f"{one.ja}は{other.ja}より{how[2]}",
        f"{one.nom} ist {how[3]} als {other.nom}",
    )


def _say(source: random.Random) -> Words:
    who, served = source.choice(PEOPLE), source.random() < 0.4
    what = source.choice(phrases.SERVED if served else phrases.SOLD)
    how = source.choice(phrases.TASTES if served else phrases.FAULTS)
    the, der = ("the ", f"{_ARTICLE_OF_DRINK[what.bare]} ") if served else ("", "")
    return (
        f"{who.en} says that {the}{what.en} is too {how[0]}",
        f"{who.zh}说{what.zh}太{how[1]}了",
        f"{who.ja}は{what.ja}が{how[2]}と言っています",
        f"{who.nom} sagt, dass {der}{what.nom} zu {how[3]} ist",
    )


_ARTICLE_OF_DRINK = {
    "Tee": "der",
    "Kaffee": "der",
    "Milch": "die",
    "Wasser": "das",
    "Suppe": "die",
    "Wein": "der",
}


def _der(noun: Noun) -> str:
    return noun.nom.split()[0]


TEMPLATES: tuple[tuple[Template, int], ...] = (
    (_past, 4), (_future, 4), (_now, 4), (_habit, 4), (_want, 3), (_must, 3), (_together, 3),
    (_give, 3), (_wait, 2), (_travel, 3), (_depart, 2), (_weather, 2), (_lying, 2),
    (_sleeping, 2), (_like, 2), (_there_are, 2), (_buy_some, 2), (_compare, 2), (_say, 2),
)  # fmt: skip
"""Each template with how often it is drawn, by the number of its combinations."""
