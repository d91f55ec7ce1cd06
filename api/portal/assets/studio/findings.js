/**
 * What inspection found and why a recording failed, in Chinese. The API says both in English, with the file's
 * own numbers; a code that is missing here is shown in the API's words.
 */

/** @type {Record<string, string>} */
export const findingsInChinese = {
  truncated: '文件不完整，只有前一部分可以播放：录制或复制中断了。如果有完整的文件，请重新上传。',
  damaged: '部分画面已损坏，可能出现花屏或停顿。如果有完好的文件，请重新上传。',
  no_video: '没有画面：这一讲将以音频形式播放。',
  low_resolution: '画面较小，幻灯片上的文字可能看不清。条件允许的话，请用 1280 × 720 以上的分辨率录制。',
  hdr: '画面是高动态范围的，颜色会转换为所有屏幕都能显示的范围。',
  interlaced: '画面是隔行扫描的，会转换为完整的帧。',
  variable_frame_rate: '帧率不固定，会调整为均匀的帧率。',
  high_frame_rate: '超过每秒 60 帧的部分会降低到 60 帧。',
  rotated: '画面是转向拍摄的，会自动摆正。',
  odd_size: '画面尺寸是奇数，会取整一个像素。',
  several_video_tracks: '文件里有多路画面，采用最大的一路。',
  several_audio_tracks: '文件里有多条音轨，采用主音轨。',
  no_audio: '没有可用的声音，这一讲会是无声的。如果应当有声音，请检查录像后重新上传。',
};

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
