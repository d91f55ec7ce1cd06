"""What an instructor is told about a recording, in Chinese, English and French. Pure.

A finding is stored as a code with values; the sentence is made for whoever reads it. `{of:time}` writes
seconds as a person would, `{rate:number}` a number with at most five digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from string import Formatter
from typing import Any, Final

from academy.localised import choose
from academy.recordings import Finding, Severity

Value = str | int | float
FALLBACK: Final = "en"

SENTENCES: Final[dict[str, dict[str, str]]] = {
    "truncated": {
        "en": "The file is incomplete: of {of:time} only the first {there:time} can be played. "
        "Recording or copying it broke off; if you have the complete file, upload that one.",
        "zh": "文件不完整：全长{of:time}，只有前{there:time}能播放。录制或复制时中断了；如果您有完整的文件，请上传那一个。",
        "fr": "Le fichier est incomplet : sur {of:time}, seuls les premiers {there:time} sont lisibles. "
        "L'enregistrement ou la copie s'est interrompu ; si vous avez le fichier complet, envoyez-le.",
    },
    "damaged": {
        "en": "Parts of the file are damaged: picture or sound may be disturbed there. "
        "If you have an intact copy, upload that one.",
        "zh": "文件有部分损坏：那里的画面或声音可能受影响。如果您有完好的副本，请上传那一个。",
        "fr": "Des parties du fichier sont endommagées : l'image ou le son peut y être perturbé. "
        "Si vous avez une copie intacte, envoyez-la.",
    },
    "no_video": {
        "en": "There is no picture: this becomes a lecture to listen to.",
        "zh": "没有画面：这将成为一门只有声音的讲座。",
        "fr": "Il n'y a pas d'image : ce sera un cours à écouter.",
    },
    "low_resolution": {
        "en": "The picture is small ({width} × {height}): text on slides may be hard to read. "
        "If you can, record with at least 1280 × 720.",
        "zh": "画面较小（{width} × {height}）：幻灯片上的文字可能看不清。条件允许时，请用至少 1280 × 720 录制。",
        "fr": "L'image est petite ({width} × {height}) : le texte des diapositives risque d'être illisible. "
        "Si possible, enregistrez en 1280 × 720 au moins.",
    },
    "hdr": {
        "en": "The picture has a high dynamic range; colours are converted for all screens.",
        "zh": "画面为高动态范围；颜色会转换为所有屏幕都能显示的范围。",
        "fr": "L'image est à grande gamme dynamique ; les couleurs sont converties pour tous les écrans.",
    },
    "interlaced": {
        "en": "The picture is interlaced and is converted to full frames.",
        "zh": "画面为隔行扫描，会转换为逐行画面。",
        "fr": "L'image est entrelacée et sera convertie en images complètes.",
    },
    "variable_frame_rate": {
        "en": "The frame rate varies; it is evened out to {rate:number} frames per second.",
        "zh": "帧率不固定；会统一为每秒 {rate:number} 帧。",
        "fr": "La fréquence d'images varie ; elle est ramenée à {rate:number} images par seconde.",
    },
    "high_frame_rate": {
        "en": "More than 60 frames per second are reduced to at most 60.",
        "zh": "每秒超过 60 帧的画面会降到最多 60 帧。",
        "fr": "Au-delà de 60 images par seconde, la fréquence est ramenée à 60 au plus.",
    },
    "rotated": {
        "en": "The picture was recorded turned and is shown upright.",
        "zh": "画面录制时是旋转的，会转正显示。",
        "fr": "L'image a été enregistrée tournée ; elle est redressée.",
    },
    "odd_size": {
        "en": "The picture's size ({width} × {height}) is odd; it is rounded by a pixel.",
        "zh": "画面尺寸（{width} × {height}）是奇数，会去掉一个像素。",
        "fr": "La taille de l'image ({width} × {height}) est impaire ; elle est arrondie d'un pixel.",
    },
    "several_video_tracks": {
        "en": "The file holds {count} pictures; the largest one is used.",
        "zh": "文件里有 {count} 路画面；使用最大的一路。",
        "fr": "Le fichier contient {count} images ; la plus grande est utilisée.",
    },
    "no_audio": {
        "en": "The sound is missing: the lecture will be silent. "
        "If it should be heard, check the recording and upload it again.",
        "zh": "没有声音：这一讲将是无声的。如果应该有声音，请检查录制文件后重新上传。",
        "fr": "Le son manque : le cours sera muet. "
        "S'il doit y avoir du son, vérifiez l'enregistrement et renvoyez-le.",
    },
    "unreadable_audio": {
        "en": "The sound cannot be read: the lecture will be silent. "
        "If it should be heard, check the recording and upload it again.",
        "zh": "声音无法读取：这一讲将是无声的。如果应该有声音，请检查录制文件后重新上传。",
        "fr": "Le son est illisible : le cours sera muet. "
        "S'il doit y avoir du son, vérifiez l'enregistrement et renvoyez-le.",
    },
    "several_audio_tracks": {
        "en": "The file holds {count} sound tracks; the main one is used.",
        "zh": "文件里有 {count} 条音轨；使用主音轨。",
        "fr": "Le fichier contient {count} pistes sonores ; la principale est utilisée.",
    },
    "sound_outlasts_picture": {
        "en": "The sound lasts {sound:time}, the picture only {picture:time}: the last picture stands still "
        "for the rest. If the picture should go on, check the recording and upload it again.",
        "zh": "声音长{sound:time}，画面只有{picture:time}：之后会一直停在最后一个画面。"
        "如果后面应该有画面，请检查录制文件后重新上传。",
        "fr": "Le son dure {sound:time}, l'image seulement {picture:time} : la dernière image reste affichée "
        "ensuite. Si l'image devrait continuer, vérifiez l'enregistrement et renvoyez-le.",
    },
    "quiet": {
        "en": "The sound is very quiet ({loudness:number} LUFS). It is amplified, and its noise with it. "
        "If you can, record closer to the microphone.",
        "zh": "声音很小（{loudness:number} LUFS）。会放大音量，但噪声也会随之放大。条件允许时，请靠近麦克风录制。",
        "fr": "Le son est très faible ({loudness:number} LUFS). Il est amplifié, et le bruit avec lui. "
        "Si possible, enregistrez plus près du micro.",
    },
    "clipped": {
        "en": "The sound was recorded too loudly: its peaks are cut off and it may sound harsh. "
        "If you can, record again with a lower level.",
        "zh": "录音音量过大：声音的峰值被削掉，听起来可能刺耳。条件允许时，请调低录音音量重新录制。",
        "fr": "Le son a été enregistré trop fort : ses crêtes sont coupées et il peut paraître dur. "
        "Si possible, enregistrez de nouveau à un niveau plus bas.",
    },
    "drop_outs": {
        "en": "The sound drops out, first at about {at:time} (places noticed: {count}). "
        "Listen there; if something is missing, check the recording and upload it again.",
        "zh": "声音有中断（发现{count}处，第一处约在{at:time}）。请试听；如果缺少内容，请检查录制文件后重新上传。",
        "fr": "Le son s'interrompt, d'abord vers {at:time} (endroits constatés : {count}). "
        "Écoutez à cet endroit ; s'il manque quelque chose, vérifiez l'enregistrement et renvoyez-le.",
    },
    "silent": {
        "en": "Nothing can be heard: was the microphone off? "
        "Check the recording and upload one with sound.",
        "zh": "听不到任何声音：麦克风是不是没有打开？请检查录制文件，上传有声音的版本。",
        "fr": "On n'entend rien : le micro était-il coupé ? "
        "Vérifiez l'enregistrement et envoyez-en un avec du son.",
    },
    "one_sided_left": {
        "en": "Sound comes from the left side only: who listens with one earphone may hear nothing. "
        "If you can, record in mono.",
        "zh": "只有左声道有声音：只戴一只耳机的人可能听不到。条件允许时，请用单声道录制。",
        "fr": "Le son ne vient que de la gauche : avec un seul écouteur, on peut ne rien entendre. "
        "Si possible, enregistrez en mono.",
    },
    "one_sided_right": {
        "en": "Sound comes from the right side only: who listens with one earphone may hear nothing. "
        "If you can, record in mono.",
        "zh": "只有右声道有声音：只戴一只耳机的人可能听不到。条件允许时，请用单声道录制。",
        "fr": "Le son ne vient que de la droite : avec un seul écouteur, on peut ne rien entendre. "
        "Si possible, enregistrez en mono.",
    },
}


def warning(code: str, **values: Value) -> Finding:
    return _finding(code, Severity.WARNING, values)


def info(code: str, **values: Value) -> Finding:
    return _finding(code, Severity.INFO, values)


def _finding(code: str, severity: Severity, values: dict[str, Value]) -> Finding:
    message = _Words(FALLBACK).format(SENTENCES[code][FALLBACK], **values)
    return Finding(code=code, severity=severity, message=message, values=values)


def sentence(finding: Finding, wanted: Sequence[str] = ()) -> str:
    """In the first wanted language there is, else English; as stored where the code is no longer known."""
    texts = SENTENCES.get(finding.code)
    if texts is None:
        return finding.message
    language, text = choose(texts, wanted, FALLBACK)
    try:
        return _Words(language).format(text, **finding.values)
    except KeyError:
        return finding.message  # stored before it had values


def in_language(findings: Sequence[Finding], wanted: Sequence[str]) -> list[Finding]:
    return [each.model_copy(update={"message": sentence(each, wanted)}) for each in findings]


class _Words(Formatter):
    """Writes times and numbers as the language does."""

    def __init__(self, language: str) -> None:
        self._language = language

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec == "time":
            return spoken(float(value), self._language)
        if format_spec == "number":
            text = f"{float(value):.5g}"
            return text.replace(".", ",") if self._language == "fr" else text
        return str(value)


UNITS: Final = {
    "en": (" h", " min", " s", " "),
    "fr": (" h", " min", " s", " "),
    "zh": ("小时", "分", "秒", ""),
}


def spoken(seconds: float, language: str = FALLBACK) -> str:
    """`1 h 32 min`, `4 min 5 s`, `3.6 s`; `1小时32分`."""
    hour, minute, second, gap = UNITS[language]
    if seconds < 60:
        text = f"{seconds:.3g}"
        return (text.replace(".", ",") if language == "fr" else text) + second
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}{hour}{gap}{minutes}{minute}"
    return f"{minutes}{minute}{gap}{rest}{second}"
