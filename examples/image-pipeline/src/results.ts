/** What the tasks deliver. */

/** A file of the gallery. */
export interface StoredFile {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly sha256: string;
}

/** The result of processing a picture, and `manifest.json` in its folder. */
export interface Manifest {
  readonly imageId: string;
  readonly files: readonly StoredFile[];
}

/** The result of probing a picture. */
export interface ImageFacts {
  readonly format: string;
  readonly width: number;
  readonly height: number;
  /** The dominant colour, such as `#27306b`. */
  readonly dominant: string;
}

/** Thumbnails are squares with these sides. */
export const thumbnailSizes = [64, 128, 256] as const;
