"""The sample lecture's sound: babble with vowels, tones and pauses, which no one can take for words.

A spoken lecture in all that the encoder cares about (voiced harmonics, onsets, breaks between
phrases), made in about a second of pure Python: eighty different syllables, strung together.
"""

from __future__ import annotations

import random
import wave
from array import array
from math import exp, pi, sin
from pathlib import Path
from typing import Final

RATE: Final = 24_000
"""Samples per second, mono."""
VOWELS: Final = {
    "a": (800, 1200, 2500),
    "e": (450, 1900, 2500),
    "i": (290, 2250, 3000),
    "o": (450, 800, 2600),
    "u": (320, 700, 2300),
}
"""Formants, hertz."""
TONES: Final = ((1.2, 1.2), (0.95, 1.25), (0.95, 0.85), (1.3, 0.8))
"""Pitch at the beginning and the end, as a syllable of Mandarin has them."""
PITCH: Final = 135.0
SYLLABLE: Final = 0.19
PHRASE: Final = (6, 14)
"""Syllables between two pauses."""
LOUDNESS: Final = 9000


def write_speech(path: Path, seconds: float) -> None:
    """A WAV file (16 bit, mono) of exactly `seconds`; the same one every time."""
    chance = random.Random(20)  # noqa: S311 - not a secret
    syllables = [
        _syllable(formants, tone, chance)
        for formants in VOWELS.values()
        for tone in TONES
        for _ in range(2)
    ]
    wanted = round(seconds * RATE)
    samples = array("h")
    while len(samples) < wanted:
        for _ in range(chance.randint(*PHRASE)):
            samples.extend(chance.choice(syllables))
            samples.extend(_silence(chance.choice((0.0, 0.02, 0.05))))
        samples.extend(_silence(chance.uniform(0.35, 0.8)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples[:wanted].tobytes())


def _syllable(
    formants: tuple[int, int, int], tone: tuple[float, float], chance: random.Random
) -> array[int]:
    length = round(RATE * SYLLABLE * chance.uniform(0.8, 1.2))
    middle = PITCH * sum(tone) / 2
    harmonics = [
        (n, strength)
        for n in range(1, int(4000 / middle))
        if (strength := _resonance(n * middle, formants) / n**0.5) > 0.02
    ]
    samples = array("h")
    phase = 0.0
    for position in range(length):
        share = position / length
        phase += 2 * pi * PITCH * (tone[0] + (tone[1] - tone[0]) * share) / RATE
        voiced = sum(strength * sin(n * phase) for n, strength in harmonics)
        onset = chance.uniform(-0.6, 0.6) * exp(-share * 25)
        swell = min(1.0, share * 12, (1 - share) * 6)
        samples.append(round(max(-32000, min(32000, LOUDNESS * (voiced * swell + onset)))))
    return samples


def _resonance(frequency: float, formants: tuple[int, int, int]) -> float:
    return sum(
        weight * exp(-(((frequency - formant) / 160) ** 2))
        for formant, weight in zip(formants, (1.0, 0.6, 0.3), strict=True)
    )


def _silence(seconds: float) -> array[int]:
    return array("h", bytes(2 * round(seconds * RATE)))
