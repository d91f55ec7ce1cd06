"""Why a recording failed, in Chinese, English and French. Pure.

A failure is stored with its code and the English sentence of whoever refused the recording, which names the
file; in other languages it is told by its code. Faults of ours are told the same way in all three: what
ffmpeg or a service said is for operators.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from academy.jobs import Failure
from academy.localised import choose

FALLBACK: Final = "en"

_OURS: Final = {
    "en": "Transcoding failed by a fault of ours, not of your recording. "
    "The operators can see why; you may try again.",
    "zh": "处理失败，原因在我们这边，不在您的录像。管理员可以看到原因；您可以重新处理。",
    "fr": "Le traitement a échoué par notre faute, non par celle de votre enregistrement. "
    "Les opérateurs peuvent voir pourquoi ; vous pouvez réessayer.",
}
_BUSY: Final = {
    "en": "A service the transcoder needs did not answer, again and again. Try again later.",
    "zh": "处理所需的服务多次没有响应。请稍后重新处理。",
    "fr": "Un service nécessaire au traitement n'a pas répondu, plusieurs fois de suite. Réessayez plus tard.",
}

SENTENCES: Final[dict[str, dict[str, str]]] = {
    "unreadable_media": {
        "zh": "这个文件无法作为录像读取。请先用播放器打开检查，另存为 MP4（H.264 和 AAC）后再上传。",
        "fr": "Ce fichier ne peut pas être lu comme un enregistrement. Ouvrez-le dans un lecteur pour le "
        "vérifier, enregistrez-le de nouveau en MP4 (H.264 et AAC), puis envoyez ce fichier-là.",
    },
    "not_media": {
        "zh": "这个文件不是录像。请上传录像文件本身，例如 MP4、MOV、MKV 或 WebM。",
        "fr": "Ce fichier n'est pas un enregistrement. Envoyez un fichier vidéo ou audio, "
        "par exemple MP4, MOV, MKV ou WebM.",
    },
    "playlist_not_allowed": {
        "zh": "这是播放列表，只列出别的文件，本身不含录像。请上传录像文件本身。",
        "fr": "C'est une liste de lecture : elle ne fait que nommer d'autres fichiers. "
        "Envoyez le fichier vidéo lui-même.",
    },
    "truncated": {
        "zh": "文件不完整，无法播放：录制或复制中断了。请上传完整的文件。",
        "fr": "Le fichier est incomplet et ne peut pas être lu : l'enregistrement ou la copie s'est "
        "interrompu. Envoyez le fichier complet.",
    },
    "no_streams": {
        "zh": "文件里既没有画面也没有声音。请上传录像文件本身。",
        "fr": "Le fichier ne contient ni image ni son. Envoyez l'enregistrement lui-même.",
    },
    "encrypted": {
        "zh": "文件带有版权保护（加密）。请上传没有保护的版本。",
        "fr": "Le fichier est chiffré (protection contre la copie). Envoyez une copie sans protection.",
    },
    "too_large_picture": {
        "zh": "画面超过了允许的尺寸。请另存为不超过 3840 × 2160 的视频。",
        "fr": "L'image dépasse la taille permise. Enregistrez-la en 3840 × 2160 au plus.",
    },
    "too_many_streams": {
        "zh": "文件里的音轨或画面过多。请只保留一路画面和一条音轨。",
        "fr": "Le fichier contient beaucoup trop de pistes. N'en gardez qu'une pour l'image et une pour le son.",
    },
    "joined": {
        "zh": "文件由几段录像直接拼接而成，其中的时间会重新开始，只能显示一段。请用视频编辑软件合并，或分别作为几讲上传。",
        "fr": "Le fichier est fait de plusieurs enregistrements mis bout à bout : l'horloge y recommence, et un "
        "seul pourrait être montré. Assemblez-les dans un logiciel de montage, ou envoyez chacun comme un cours.",
    },
    "too_short": {
        "zh": "录像不到半秒。请确认选对了文件。",
        "fr": "L'enregistrement dure moins d'une demi-seconde. Est-ce le bon fichier ?",
    },
    "too_long": {
        "zh": "录像超过了允许的 12 小时。请剪成几讲。",
        "fr": "L'enregistrement dépasse les 12 heures permises. Découpez-le en plusieurs cours.",
    },
    "limit_exceeded": {
        "en": "Processing took more time or memory than one recording may have. Save it again as MP4 "
        "(H.264 and AAC) and upload that file; if that fails too, tell the operators.",
        "zh": "处理这个录像所需的时间或内存超过了上限。请另存为 MP4（H.264 和 AAC）后再上传；如果仍然失败，请联系管理员。",
        "fr": "Le traitement a demandé plus de temps ou de mémoire que permis. Enregistrez le fichier de "
        "nouveau en MP4 (H.264 et AAC) et envoyez-le ; si cela échoue encore, prévenez les opérateurs.",
    },
    "abandoned": {
        "zh": "处理多次中断，已经停止。请重新处理；如果再次发生，请联系管理员。",
        "fr": "Le traitement a été interrompu trop souvent et abandonné. Réessayez ; "
        "si cela se reproduit, prévenez les opérateurs.",
    },
    "encoding_failed": _OURS,
    "encoder_changed": _OURS,
    "wrong_encoder": _OURS,
    "wrong_frames": _OURS,
    "wrong_init": _OURS,
    "poison": _OURS,
    "internal_error": _OURS,
    "unavailable": _BUSY,
    "transient": _BUSY,
    "worker_trouble": _BUSY,
    "storage_full": _BUSY,
    "engine_lost": _BUSY,
    "workers_died": _BUSY,
}


def sentence(failure: Failure, wanted: Sequence[str] = ()) -> str:
    """In the first wanted language there is, else English; as stored where the code has no other words."""
    texts = {FALLBACK: failure.message} | SENTENCES.get(failure.code, {})
    return choose(texts, wanted, FALLBACK)[1]
