/** The last picture of a video while its source changes. */
import { h } from '../dom.js';

const LONGEST = 5000; // milliseconds after which it gives way, come what may

/** Covers the video with its last picture until it has another: a change of playlists would show black. @param {HTMLVideoElement} video */
export function freeze(video) {
  if (video.readyState < 2 || !video.videoWidth) return;
  const picture = h('canvas', { class: 'frozen', width: video.videoWidth, height: video.videoHeight, 'aria-hidden': 'true' });
  picture.getContext('2d').drawImage(video, 0, 0);
  video.after(picture);
  const away = () => picture.remove();
  video.addEventListener('loadeddata', away, { once: true });
  setTimeout(away, LONGEST);
}
