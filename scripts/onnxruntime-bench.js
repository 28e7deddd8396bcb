// Times ONNX Runtime on one network, for scripts/bench-engines.
// Usage: NODE_PATH=WHERE/node_modules node scripts/onnxruntime-bench.js
//            [--threads=N] [--runs=N] [--input=FILE.npy] [--output=DIR] MODEL
// MODEL has one float input of a fixed shape. The input is the file, or else a
// fixed pattern. --output writes DIR/output_K.npy, K in the model's order.
// Prints one JSON object: samples_ns of the runs behind two that do not count,
// median_ns, and anonymous_bytes: what the runtime added to node's own.
'use strict';
const fs = require('fs');
const path = require('path');
const WARMUPS = 2;

function anonymousBytes() {
  const status = fs.readFileSync('/proc/self/status', 'ascii');
  return 1024 * Number(/^RssAnon:\s*(\d+)/m.exec(status)[1]);
}

// NPY version 1: magic, version, the head's length in two bytes, the head.
function readFloats(file, count) {
  const bytes = fs.readFileSync(file);
  const content = bytes.subarray(10 + bytes.readUInt16LE(8));
  if (content.length !== 4 * count)
    throw new Error(`${file}: ${content.length} bytes, not ${4 * count}`);
  return new Float32Array(content.buffer.slice(content.byteOffset,
      content.byteOffset + content.length));
}

function writeFloats(file, data, dims) {
  const shape = dims.join(', ') + (dims.length === 1 ? ',' : '');
  const dict = "{'descr': '<f4', 'fortran_order': False, " +
      `'shape': (${shape}), }`;
  const padded = 64 * Math.ceil((10 + dict.length + 1) / 64);
  const head = dict.padEnd(padded - 11) + '\n';
  const start = Buffer.from('\x93NUMPY\x01\x00', 'latin1');
  const length = Buffer.from([head.length & 255, head.length >> 8]);
  fs.writeFileSync(file, Buffer.concat([
    start, length, Buffer.from(head, 'ascii'),
    Buffer.from(data.buffer, data.byteOffset, data.byteLength),
  ]));
}

async function main() {
  const options = {threads: '1', runs: '10'};
  const files = [];
  for (const arg of process.argv.slice(2)) {
    const match = /^--(threads|runs|input|output)=(.+)$/.exec(arg);
    if (match)
      options[match[1]] = match[2];
    else
      files.push(arg);
  }
  if (files.length !== 1 || files[0].startsWith('-'))
    throw new Error('usage: onnxruntime-bench.js [--threads=N] [--runs=N] ' +
        '[--input=FILE] [--output=DIR] MODEL');
  const ort = require('onnxruntime-node');
  const before = anonymousBytes();
  const session = await ort.InferenceSession.create(files[0], {
    executionMode: 'sequential', graphOptimizationLevel: 'all',
    interOpNumThreads: 1, intraOpNumThreads: Number(options.threads),
    logSeverityLevel: 3,
  });
  const dims = session.inputMetadata[0].shape;
  const count = dims.reduce((a, b) => a * b, 1);
  const data = options.input ? readFloats(options.input, count) :
      Float32Array.from({length: count}, (_, i) => (i * 7919 % 1009) / 504 - 1);
  const feeds = {};
  feeds[session.inputNames[0]] = new ort.Tensor('float32', data, dims);
  const samples = [];
  let results;
  for (let i = -WARMUPS; i < Number(options.runs); i++) {
    const start = process.hrtime.bigint();
    results = await session.run(feeds);
    if (i >= 0)
      samples.push(Number(process.hrtime.bigint() - start));
  }
  const anonymous = anonymousBytes() - before;
  if (options.output) {
    session.outputNames.forEach((name, k) => writeFloats(
        path.join(options.output, `output_${k}.npy`), results[name].data,
        results[name].dims));
  }
  const sorted = [...samples].sort((a, b) => a - b);
  console.log(JSON.stringify({
    samples_ns: samples, median_ns: sorted[sorted.length >> 1],
    anonymous_bytes: anonymous,
  }));
}

main().catch(problem => {
  console.error(`onnxruntime-bench: ${problem.message}`);
  process.exit(1);
});
