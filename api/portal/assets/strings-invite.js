/** The words of the invitation page, the only one that is in French too: [Chinese, English, French]. */

/** @type {Record<string, [string, string, string]>} */
export const inviteWords = {
  title: ['上传您的录像', 'Send your recording', 'Envoyez votre enregistrement'],
  for: ['{course} · {lecture}', '{course} · {lecture}', '{course} · {lecture}'],
  until: ['此链接有效期至 {day}，只能用于上传一个录像。', 'This link works until {day}, for one recording.', 'Ce lien est valable jusqu’au {day}, pour un seul enregistrement.'],
  choose: ['选择视频文件', 'Choose the video file', 'Choisir le fichier vidéo'],
  hint: ['常见的视频格式都可以。中断后，再次打开此链接并选择同一个文件即可继续。', 'Any ordinary video format. If it is interrupted, open this link again and choose the same file to go on.', 'Tout format vidéo courant. En cas d’interruption, rouvrez ce lien et choisissez le même fichier pour continuer.'],
  resume: ['{name} 已上传 {share}。请再次选择同一个文件以继续。', '{share} of {name} has arrived. Choose the same file again to go on.', '{share} de {name} est arrivé. Choisissez de nouveau le même fichier pour continuer.'],
  other: ['这不是同一个文件。请选择 {name}，或重新开始。', 'This is not the same file. Choose {name}, or start over.', 'Ce n’est pas le même fichier. Choisissez {name}, ou recommencez.'],
  over: ['重新开始', 'Start over', 'Recommencer'],
  sending: ['正在上传，请不要关闭此页面。', 'Sending. Please keep this page open.', 'Envoi en cours. Gardez cette page ouverte.'],
  waiting: ['网络中断，恢复后自动继续。', 'The network is gone; it goes on by itself.', 'Le réseau est coupé ; l’envoi reprendra tout seul.'],
  checking: ['正在确认…', 'Checking…', 'Vérification…'],
  stopped: ['上传停止了。已上传的部分不会丢失。', 'The upload has stopped. What has arrived is kept.', 'L’envoi s’est arrêté. Ce qui est arrivé est conservé.'],
  again: ['继续', 'Go on', 'Continuer'],
  arrived: ['录像已完整送达，谢谢！', 'Your recording has arrived in full. Thank you!', 'Votre enregistrement est bien arrivé. Merci !'],
  looking: ['正在检查录像…您可以关闭此页面，之后再打开此链接查看结果。', 'It is being looked through … You may close this page and open the link later to see the result.', 'Il est en cours d’examen… Vous pouvez fermer cette page et rouvrir le lien plus tard.'],
  fine: ['检查没有发现问题。', 'Nothing wrong was found.', 'Aucun problème n’a été trouvé.'],
  found: ['检查结果', 'What was found', 'Ce qui a été trouvé'],
  failed: ['这个文件无法制成课程，请换一个再上传。', 'This file cannot become a lecture: please send another one.', 'Ce fichier ne peut pas devenir un cours : envoyez-en un autre.'],
  empty: ['这个文件是空的，请选择另一个。', 'This file is empty: choose another one.', 'Ce fichier est vide : choisissez-en un autre.'],
  none: ['此链接不完整。请从邮件中完整复制。', 'This link is incomplete: copy the whole of it.', 'Ce lien est incomplet : copiez-le en entier.'],
  ended: ['此链接已失效。请向邀请您的人索取新的链接。', 'This link no longer works. Ask whoever invited you for another one.', 'Ce lien n’est plus valable. Demandez-en un autre à la personne qui vous a invité.'],
  trouble: ['暂时无法连接，请稍后重试。', 'The portal cannot be reached just now. Try again in a moment.', 'Le portail est injoignable pour l’instant. Réessayez dans un moment.'],
};

export const LANGUAGES = /** @type {const} */ (['zh', 'en', 'fr']);
