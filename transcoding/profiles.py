"""Profiles: ladders and encoder settings as data (`profiles.yaml`), validated into sentences."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from academy.errors import SettingsError
from transcoding.yaml_places import line_of

Even = Annotated[int, Field(ge=16, le=2160, multiple_of=2)]
X264Preset = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"
]
SvtPreset = Annotated[int, Field(ge=0, le=13)]
Level = Literal["1.3", "2.0", "2.1", "3.0", "3.1", "3.2", "4.0", "4.1", "4.2", "5.0", "5.1", "5.2"]
Crf = Annotated[int, Field(ge=0, le=63)]
Rate = Annotated[int, Field(ge=10_000, le=200_000_000)]
PAIRS: Final = re.compile(r"[a-z0-9-]+=[A-Za-z0-9.,+-]+(:[a-z0-9-]+=[A-Za-z0-9.,+-]+)*")


def _pairs(text: str) -> str:
    if text and not PAIRS.fullmatch(text):
        raise ValueError("give name=value, joined by colons, such as aq-strength=0.4:me=hex")
    return text


Parameters = Annotated[str, AfterValidator(_pairs)]


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Drawn(Model):
    """What is different for slides and screen recordings."""

    crf: Crf | None = None
    preset: X264Preset | SvtPreset | None = None
    parameters: Parameters | None = None
    only_above: Rate | None = None
    """Bits per second that the next larger rung must need for this one to be made at all."""


class Rung(Model):
    """One height of the ladder. `size` is the picture's short side in pixels, so that portrait
    recordings get the same rungs; `level` is the lowest that is signalled (H.264).
    """

    size: Even
    codec: Literal["h264", "av1"] = "h264"
    crf: Crf
    max_rate: Rate
    most_rate: Rate | None = None
    """What `max_rate` may rise to where samples show that more is needed."""
    buffer: Rate
    preset: X264Preset | SvtPreset
    parameters: Parameters = ""
    profile: Literal["baseline", "main", "high"] = "high"
    level: Level = "3.0"
    drawn: Drawn = Drawn()

    @model_validator(mode="after")
    def _encoder_knows(self) -> Rung:
        for preset in (self.preset, self.preset_for(drawn=True)):
            if (self.codec == "av1") != isinstance(preset, int):
                wanted = "a number from 0 to 13" if self.codec == "av1" else "a name such as faster"
                raise ValueError(f"preset {preset!r} is not {self.codec}'s: give {wanted}")
        for crf in (self.crf, self.drawn.crf or 0):
            if self.codec == "h264" and crf > 51:
                raise ValueError(f"crf {crf} is above 51, the most H.264 has")
        if self.most_rate is not None and self.most_rate < self.max_rate:
            raise ValueError("most_rate is below max_rate")
        return self

    def preset_for(self, *, drawn: bool) -> str | int:
        """The encoder's preset for slides and screens, or for filmed pictures."""
        return self.preset if self.drawn.preset is None or not drawn else self.drawn.preset


class FrameRates(Model):
    """Frames per second, after which sources are thinned or before which frames are repeated."""

    least: int = Field(default=5, ge=1, le=60)
    most: int = Field(default=60, ge=1, le=120)


class AudioSettings(Model):
    """Bit rates, and the target loudness in LUFS (EBU R 128)."""

    stereo: int = Field(default=96_000, ge=16_000, le=512_000)
    mono: int = Field(default=64_000, ge=16_000, le=512_000)
    loudness: float = Field(default=-16, ge=-40, le=-8)


class Profile(Model):
    name: str
    segment_seconds: float = Field(default=4, ge=0.5, le=10)
    frame_rate: FrameRates = FrameRates()
    sampling: bool = True
    """Whether stretches of the recording are looked at, and the ladder follows from them."""
    video: list[Rung] = Field(min_length=1, max_length=8)
    audio: AudioSettings = AudioSettings()

    @field_validator("video")
    @classmethod
    def _from_large_to_small(cls, rungs: list[Rung]) -> list[Rung]:
        if len({(rung.codec, rung.size) for rung in rungs}) < len(rungs):
            raise ValueError("two rungs have the same size")
        if all(rung.codec == "av1" for rung in rungs):
            raise ValueError("one rung at least must be h264, which everybody can play")
        return sorted(rungs, key=lambda rung: (rung.codec == "av1", -rung.size))

    @model_validator(mode="after")
    def _rates_in_order(self) -> Profile:
        if self.frame_rate.most < 2 * self.frame_rate.least:
            raise ValueError("frame_rate.most must be at least twice frame_rate.least")
        return self

    @property
    def without_av1(self) -> Profile:
        """For an ffmpeg that cannot encode it."""
        rungs = [rung for rung in self.video if rung.codec != "av1"]
        return self.model_copy(update={"video": rungs})


def load(name: str = "default") -> Profile:
    """The profile of this name, or from a YAML file of such profiles: `file.yaml` (its first) or
    `file.yaml:name`. Raises SettingsError with a sentence that says what is wrong and where.
    """
    path, _, within = name.partition(":")
    if not path.endswith((".yaml", ".yml")):
        text = resources.files("transcoding").joinpath("profiles.yaml").read_text("utf-8")
        return parse(text, name, origin="profiles.yaml")
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The profile file {path} cannot be read: {error}.") from error
    return parse(text, within or None, origin=path)


def parse(text: str, name: str | None, *, origin: str) -> Profile:
    """One profile from YAML text; without a name its first."""
    try:
        document: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SettingsError(f"{origin} is not YAML: {error}") from error
    if not isinstance(document, dict) or not document:
        raise SettingsError(f"{origin} must map profile names to profiles.")
    name = name or str(next(iter(document)))
    if name not in document:
        known = ", ".join(sorted(map(str, document)))
        raise SettingsError(f"{origin} has no profile {name!r}; it has: {known}.")
    if not isinstance(document[name], dict):
        raise SettingsError(f"{origin}: {name} must be a mapping with `video` and `audio`.")
    try:
        return Profile.model_validate({**document[name], "name": name})
    except ValidationError as error:
        # Of a union, each branch complains: the first one's sentence is enough.
        first = {_path(each): each for each in reversed(error.errors())}
        complaints = sorted((line_of(text, [name, *path]), path) for path in first)
        sentences = [
            f"{origin}, line {line}: {_complaint(name, path, first[path])}"
            for line, path in complaints
        ]
        raise SettingsError("\n".join(sentences)) from error


def _path(error: ErrorDetails) -> tuple[str | int, ...]:
    """Within the profile; names of a union's branches are no part of the file."""
    return tuple(step for step in error["loc"] if not str(step).startswith(("literal[", "constr")))


def _complaint(name: str, path: tuple[str | int, ...], error: ErrorDetails) -> str:
    where = ".".join([name, *map(str, path)])
    if error["type"] == "extra_forbidden":
        allowed = ", ".join(sorted(_model_at(path[:-1]).model_fields.keys() - {"name"}))
        return f"{where}: there is no such setting here; there are: {allowed}."
    if error["type"] == "missing":
        return f"{where}: this setting is missing."
    reason = error["msg"].removeprefix("Value error, ")
    given = f" (not {error['input']!r})" if isinstance(error["input"], str | int | float) else ""
    return f"{where}: {reason[0].lower()}{reason[1:]}{given}."


def _model_at(path: tuple[str | int, ...]) -> type[Model]:
    """The model that the settings at this path of a profile belong to."""
    models: dict[str | int, type[Model]] = {
        "frame_rate": FrameRates,
        "audio": AudioSettings,
        "video": Rung,
        "drawn": Drawn,
    }
    return next((models[step] for step in reversed(path) if step in models), Profile)
