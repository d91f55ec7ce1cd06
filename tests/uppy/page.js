/** A front end's page with Uppy as its documentation shows it: nothing but options. */
import Uppy from '@uppy/core';
import AwsS3 from '@uppy/aws-s3';

/** @param {{api: string, lecture: string, token: string, file: File}} options */
window.send = async ({ api, lecture, token, file }) => {
  const uppy = new Uppy({ meta: { lecture, token } });
  window.uppy = uppy;
  uppy.use(AwsS3, { companionEndpoint: `${api}/v1/uppy`, shouldUseMultipart: true });
  uppy.addFile({ name: file.name, type: file.type, data: file });
  const result = await uppy.upload();
  return {
    failed: result.failed.map((each) => String(each.error)),
    location: result.successful[0]?.response?.body?.location ?? null,
  };
};
