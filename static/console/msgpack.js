// @ts-check
// MessagePack (github.com/msgpack/msgpack, spec.md). Any valid form is decoded; what is encoded is the shortest form,
// but for whole numbers beyond 32 bits, which go out as float64: other decoders give a BigInt for a 64-bit integer.

const MAX_DEPTH = 64;

export class MessagePackError extends Error {
  name = "MessagePackError";
}

/** A value of an extension type: its number (-128 to 127) and its bytes. */
export class Extension {
  /**
   * @param {number} type
   * @param {Uint8Array} data
   */
  constructor(type, data) {
    this.type = type;
    this.data = data;
  }
}

/**
 * Pack one value. Entries of a map whose value is undefined are left out.
 * @param {unknown} value
 * @returns {Uint8Array<ArrayBuffer>}
 * @throws {MessagePackError} for what MessagePack cannot say, such as a function
 */
export function encode(value) {
  const writer = new Writer();
  writer.value(value, 0);
  return writer.bytes();
}

/**
 * Unpack exactly one value: a map becomes an object, bin a Uint8Array, ext an Extension. A 64-bit integer is a number while that is exact, else a BigInt.
 * @param {ArrayBuffer | Uint8Array} packed
 * @returns {unknown}
 * @throws {MessagePackError} for bytes that are cut short, left over or not MessagePack
 */
export function decode(packed) {
  const reader = new Reader(packed instanceof Uint8Array ? packed : new Uint8Array(packed));
  const value = reader.value(0);
  reader.finish();
  return value;
}

class Writer {
  #buffer = new Uint8Array(256);
  #view = new DataView(this.#buffer.buffer);
  #length = 0;

  bytes() {
    return this.#buffer.slice(0, this.#length);
  }

  /**
   * Make room and give the place to write at. The buffer may be another one afterwards.
   * @param {number} count
   */
  #take(count) {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#buffer.length * 2));
      larger.set(this.#buffer);
      this.#buffer = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  /** @param {number} byte */
  #byte(byte) {
    const at = this.#take(1);
    this.#buffer[at] = byte;
  }

  /** @param {number} head @param {number} number */
  #head8(head, number) {
    this.#byte(head);
    this.#byte(number);
  }

  /** @param {number} head @param {number} number */
  #head16(head, number) {
    this.#byte(head);
    const at = this.#take(2);
    this.#view.setUint16(at, number);
  }

  /** @param {number} head @param {number} number */
  #head32(head, number) {
    this.#byte(head);
    const at = this.#take(4);
    this.#view.setUint32(at, number);
  }

  /**
   * @param {unknown} value
   * @param {number} depth
   */
  value(value, depth) {
    if (depth > MAX_DEPTH) throw new MessagePackError("nested too deeply");
    if (value === null || value === undefined) this.#byte(0xc0);
    else if (typeof value === "boolean") this.#byte(value ? 0xc3 : 0xc2);
    else if (typeof value === "number") this.#number(value);
    else if (typeof value === "bigint") this.#bigint(value);
    else if (typeof value === "string") this.#string(value);
    else if (value instanceof Uint8Array) this.#binary(value);
    else if (value instanceof ArrayBuffer) this.#binary(new Uint8Array(value));
    else if (value instanceof Extension) this.#extension(value);
    else if (Array.isArray(value)) this.#array(value, depth);
    else if (typeof value === "object") this.#map(value, depth);
    else throw new MessagePackError(`a ${typeof value} cannot be packed`);
  }

  /** @param {number} number */
  #number(number) {
    const isInteger = Number.isInteger(number) && !Object.is(number, -0);
    if (!isInteger || number > 0xffffffff || number < -0x80000000) {
      this.#byte(0xcb);
      const at = this.#take(8);
      this.#view.setFloat64(at, number);
    } else if (number >= 0) this.#unsigned(number);
    else this.#negative(number);
  }

  /** @param {number} number */
  #unsigned(number) {
    if (number < 0x80) this.#byte(number);
    else if (number <= 0xff) this.#head8(0xcc, number);
    else if (number <= 0xffff) this.#head16(0xcd, number);
    else this.#head32(0xce, number);
  }

  /** @param {number} number */
  #negative(number) {
    if (number >= -0x20) this.#byte(number & 0xff);
    else if (number >= -0x80) this.#head8(0xd0, number & 0xff);
    else if (number >= -0x8000) this.#head16(0xd1, number & 0xffff);
    else this.#head32(0xd2, number >>> 0);
  }

  /** @param {bigint} number */
  #bigint(number) {
    if (number > 0xffff_ffff_ffff_ffffn || number < -0x8000_0000_0000_0000n) {
      throw new MessagePackError("an integer has more than 64 bits");
    }
    this.#byte(number < 0n ? 0xd3 : 0xcf);
    const at = this.#take(8);
    this.#view.setBigUint64(at, BigInt.asUintN(64, number));
  }

  /** @param {string} text */
  #string(text) {
    const bytes = new TextEncoder().encode(text);
    if (bytes.length < 0x20) this.#byte(0xa0 | bytes.length);
    else if (bytes.length <= 0xff) this.#head8(0xd9, bytes.length);
    else if (bytes.length <= 0xffff) this.#head16(0xda, bytes.length);
    else this.#head32(0xdb, bytes.length);
    this.#raw(bytes);
  }

  /** @param {Uint8Array} bytes */
  #binary(bytes) {
    if (bytes.length <= 0xff) this.#head8(0xc4, bytes.length);
    else if (bytes.length <= 0xffff) this.#head16(0xc5, bytes.length);
    else this.#head32(0xc6, bytes.length);
    this.#raw(bytes);
  }

  /** @param {Extension} extension */
  #extension({ type, data }) {
    const fixed = [1, 2, 4, 8, 16].indexOf(data.length);
    if (fixed >= 0) this.#byte(0xd4 + fixed);
    else if (data.length <= 0xff) this.#head8(0xc7, data.length);
    else if (data.length <= 0xffff) this.#head16(0xc8, data.length);
    else this.#head32(0xc9, data.length);
    this.#byte(type & 0xff);
    this.#raw(data);
  }

  /** @param {Uint8Array} bytes */
  #raw(bytes) {
    const at = this.#take(bytes.length);
    this.#buffer.set(bytes, at);
  }

  /**
   * @param {unknown[]} items
   * @param {number} depth
   */
  #array(items, depth) {
    if (items.length < 0x10) this.#byte(0x90 | items.length);
    else if (items.length <= 0xffff) this.#head16(0xdc, items.length);
    else this.#head32(0xdd, items.length);
    for (const item of items) this.value(item, depth + 1);
  }

  /**
   * @param {object} map
   * @param {number} depth
   */
  #map(map, depth) {
    const entries = Object.entries(map).filter(([, value]) => value !== undefined);
    if (entries.length < 0x10) this.#byte(0x80 | entries.length);
    else if (entries.length <= 0xffff) this.#head16(0xde, entries.length);
    else this.#head32(0xdf, entries.length);
    for (const [key, value] of entries) {
      this.#string(key);
      this.value(value, depth + 1);
    }
  }
}

class Reader {
  #bytes;
  #view;
  #at = 0;
  // A byte order mark is text like any other here; by default it would be swallowed.
  #text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  finish() {
    if (this.#at !== this.#bytes.length) {
      throw new MessagePackError(`${this.#bytes.length - this.#at} bytes are left over`);
    }
  }

  /**
   * Move on and give the place that was moved over.
   * @param {number} count
   */
  #take(count) {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw new MessagePackError("cut short");
    this.#at = at + count;
    return at;
  }

  /** @param {1 | 2 | 4} size */
  #size(size) {
    const at = this.#take(size);
    if (size === 1) return this.#bytes[at];
    return size === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  /**
   * @param {number} depth
   * @returns {unknown}
   */
  value(depth) {
    if (depth > MAX_DEPTH) throw new MessagePackError("nested too deeply");
    const head = this.#bytes[this.#take(1)];
    if (head < 0x80) return head;
    if (head < 0x90) return this.#map(head & 0x0f, depth);
    if (head < 0xa0) return this.#array(head & 0x0f, depth);
    if (head < 0xc0) return this.#string(head & 0x1f);
    if (head >= 0xe0) return head - 0x100;
    if (head >= 0xca && head <= 0xd3) return this.#number(head);
    return this.#other(head, depth);
  }

  /**
   * @param {number} head
   * @param {number} depth
   * @returns {unknown}
   */
  #other(head, depth) {
    switch (head) {
      case 0xc0: return null;
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xc4: return this.#binary(this.#size(1));
      case 0xc5: return this.#binary(this.#size(2));
      case 0xc6: return this.#binary(this.#size(4));
      case 0xc7: return this.#extension(this.#size(1));
      case 0xc8: return this.#extension(this.#size(2));
      case 0xc9: return this.#extension(this.#size(4));
      case 0xd9: return this.#string(this.#size(1));
      case 0xda: return this.#string(this.#size(2));
      case 0xdb: return this.#string(this.#size(4));
      case 0xdc: return this.#array(this.#size(2), depth);
      case 0xdd: return this.#array(this.#size(4), depth);
      case 0xde: return this.#map(this.#size(2), depth);
      case 0xdf: return this.#map(this.#size(4), depth);
    }
    if (head >= 0xd4 && head <= 0xd8) return this.#extension(1 << (head - 0xd4));
    throw new MessagePackError(`0x${head.toString(16)} begins no value`);
  }

  /** @param {number} head */
  #number(head) {
    switch (head) {
      case 0xca: return this.#view.getFloat32(this.#take(4));
      case 0xcb: return this.#view.getFloat64(this.#take(8));
      case 0xcc: return this.#size(1);
      case 0xcd: return this.#size(2);
      case 0xce: return this.#size(4);
      case 0xcf: return narrow(this.#view.getBigUint64(this.#take(8)));
      case 0xd0: return this.#view.getInt8(this.#take(1));
      case 0xd1: return this.#view.getInt16(this.#take(2));
      case 0xd2: return this.#view.getInt32(this.#take(4));
      default: return narrow(this.#view.getBigInt64(this.#take(8)));
    }
  }

  /** @param {number} length */
  #binary(length) {
    const at = this.#take(length);
    return this.#bytes.slice(at, at + length);
  }

  /** @param {number} length */
  #extension(length) {
    const type = this.#view.getInt8(this.#take(1));
    return new Extension(type, this.#binary(length));
  }

  /** @param {number} length */
  #string(length) {
    const at = this.#take(length);
    try {
      return this.#text.decode(this.#bytes.subarray(at, at + length));
    } catch {
      throw new MessagePackError("a string is not UTF-8");
    }
  }

  /**
   * @param {number} length
   * @param {number} depth
   */
  #array(length, depth) {
    // Grown item by item: a length that lies allocates nothing.
    const items = [];
    for (let index = 0; index < length; index += 1) items.push(this.value(depth + 1));
    return items;
  }

  /**
   * @param {number} length
   * @param {number} depth
   */
  #map(length, depth) {
    /** @type {[string, unknown][]} */
    const entries = [];
    for (let index = 0; index < length; index += 1) {
      const key = this.value(depth + 1);
      if (typeof key !== "string" && typeof key !== "number") throw new MessagePackError("a key is not a string");
      entries.push([String(key), this.value(depth + 1)]);
    }
    // Makes "__proto__" a key like any other.
    return Object.fromEntries(entries);
  }
}

/** @param {bigint} number */
function narrow(number) {
  const narrowed = Number(number);
  return Number.isSafeInteger(narrowed) ? narrowed : number;
}
