/**
 * Why a recording failed, in Chinese. The API says it in English; a code that is missing here is shown in the
 * API's words. (Findings come from the API in the reader's language.)
 */

/** @type {Record<string, string>} */
export const failuresInChinese = {
  unreadable_media: '这个文件无法作为录像读取。请先用播放器打开检查，另存为 MP4（H.264 和 AAC）后再上传。',
  not_media: '这个文件不是录像。请上传录像文件本身。',
  playlist_not_allowed: '这是播放列表，不是录像。请上传录像文件本身。',
  truncated: '文件不完整，无法播放：录制或复制中断了。请上传完整的文件。',
  no_streams: '文件里既没有画面也没有声音。请上传录像文件本身。',
  encrypted: '文件带有版权保护（加密）。请上传没有保护的版本。',
  too_large_picture: '画面超过了允许的尺寸。请另存为不超过 3840 × 2160 的视频。',
  too_many_streams: '文件里的音轨或画面过多。请只保留一路画面和一条音轨。',
  too_short: '录像不到半秒。请确认选对了文件。',
  too_long: '录像超过了允许的 12 小时。请剪成几讲。',
  abandoned: '处理多次中断，已经停止。请重新处理；如果再次发生，请联系管理员。',
};
