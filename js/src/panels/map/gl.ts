// Points drawn by the graphics card.

import {
  createBufferInfoFromArrays,
  createProgramInfo,
  drawBufferInfo,
  setAttribInfoBufferFromArray,
  setBuffersAndAttributes,
  setUniforms,
  type BufferInfo,
} from "twgl.js";
import { scaleOf, type Points } from "../../plane";
import { CERTAIN, CLASSES, COLORS, FAINT, LARGER, LAYERS, OPAQUE, RIM } from "./painter";
import type { Painter, Scene } from "./painter";

const VERTEX = `#version 300 es
in vec2 place;
in float code;
in float chosen;
uniform vec2 middle, scale;
uniform float size, ramp, only, layer, larger, opaque;
uniform sampler2D colors;
out vec4 color;
out float edge;
void main() {
  float mine = chosen > 0. ? 2. : code > 0. ? 1. : 0.;
  float at = code == 0. ? 0. : ramp > 0.
    ? 1. + floor(code / ${CERTAIN}. * ${COLORS - 2}.) : 1. + mod(code - 1., ${CLASSES}.);
  color = texelFetch(colors, ivec2(int(at), 0), 0);
  color.a = only >= 0. && code != only && mine < 2. ? ${FAINT} : opaque;
  gl_PointSize = max(1., size * larger);
  edge = 2. / gl_PointSize;
  gl_Position = mine == layer ? vec4((place - middle) * scale, 0, 1) : vec4(2, 2, 2, 1);
}`;

const FRAGMENT = `#version 300 es
precision highp float;
in vec4 color;
in float edge;
uniform vec3 ring;
uniform float layer, rim;
out vec4 shown;
void main() {
  float far = length(gl_PointCoord - .5) * 2.;
  float there = edge > .8 ? 1. : 1. - smoothstep(1. - edge, 1., far);
  vec3 ink = layer > 1. ? mix(color.rgb, ring, smoothstep(1. - edge * rim - edge, 1. - edge * rim, far)) : color.rgb;
  shown = vec4(ink, 1) * color.a * there;
}`;

class Gl implements Painter {
  readonly kind = "webgl";
  private readonly program;
  private readonly colors: WebGLTexture;
  private buffers: BufferInfo | null = null;
  private used = new Uint8Array(0);
  private counts = new Array<number>(LAYERS).fill(0);
  private fence: WebGLSync | null = null;

  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly gl: WebGL2RenderingContext,
  ) {
    this.program = createProgramInfo(gl, [VERTEX, FRAGMENT], (text) => {
      throw new Error(text);
    });
    this.colors = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this.colors);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  load(points: Points): void {
    const count = points.length / 2;
    this.buffers = createBufferInfoFromArrays(this.gl, {
      place: { numComponents: 2, data: points },
      code: { numComponents: 1, data: new Uint16Array(count), normalize: false },
      chosen: { numComponents: 1, data: new Uint8Array(count), normalize: false },
    });
  }

  color(codes: Uint16Array, chosen: Uint8Array): void {
    const attributes = this.buffers?.attribs;
    if (!attributes?.["code"] || !attributes["chosen"]) return;
    setAttribInfoBufferFromArray(this.gl, attributes["code"], codes);
    setAttribInfoBufferFromArray(this.gl, attributes["chosen"], chosen);
    this.counts = new Array<number>(LAYERS).fill(0);
    for (let k = 0; k < codes.length; k++) this.counts[chosen[k] ? 2 : codes[k] ? 1 : 0]!++;
  }

  paint(scene: Scene): void {
    const { gl, buffers } = this;
    const { camera, room, density } = scene;
    const [width, height] = [Math.round(room.width * density), Math.round(room.height * density)];
    if (this.canvas.width !== width) this.canvas.width = width;
    if (this.canvas.height !== height) this.canvas.height = height;
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (!buffers) return;
    if (scene.colors !== this.used) {
      this.used = scene.colors as Uint8Array<ArrayBuffer>;
      gl.bindTexture(gl.TEXTURE_2D, this.colors);
      gl.texImage2D(
        ...([gl.TEXTURE_2D, 0, gl.RGBA8, COLORS, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE] as const),
        scene.colors,
      );
    }
    const scale = scaleOf(camera, room);
    gl.useProgram(this.program.program);
    setBuffersAndAttributes(gl, this.program, buffers);
    for (let layer = 0; layer < LAYERS; layer++) {
      if (!this.counts[layer]) continue;
      setUniforms(this.program, {
        middle: [camera.x, camera.y],
        scale: [(2 * scale) / room.width, (2 * scale) / room.height],
        size: scene.size * density,
        ramp: scene.ramp ? 1 : 0,
        only: scene.only ?? -1,
        ring: scene.ring.map((part) => part / 255),
        colors: this.colors,
        layer,
        rim: RIM * density,
        larger: LARGER[layer],
        opaque: OPAQUE[layer],
      });
      // What is selected is always all there: its number is announced.
      drawBufferInfo(gl, buffers, gl.POINTS, layer === 2 ? this.all() : scene.count);
    }
    if (this.fence) gl.deleteSync(this.fence);
    this.fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
  }

  private all(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  done(): boolean {
    const { gl, fence } = this;
    if (!fence || gl.isContextLost()) return true;
    return gl.getSyncParameter(fence, gl.SYNC_STATUS) === gl.SIGNALED;
  }

  destroy(): void {
    // Browsers give out a few contexts only.
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
    this.canvas.remove();
  }
}

/** WebGL that is computed, as it is on a server or a remote desktop. */
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

function isComputed(gl: WebGL2RenderingContext): boolean {
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  return SOFTWARE.test(String(gl.getParameter(info?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER)));
}

/**
 * A painter by the graphics card, null where there is none. A card that is computed is none: to
 * compute the pixels here is faster.
 */
export function glPainter(): Painter | null {
  const canvas = document.createElement("canvas");
  const gl = canvas.getContext("webgl2", { failIfMajorPerformanceCaveat: true, antialias: false });
  if (!gl) return null;
  try {
    if (!isComputed(gl)) return new Gl(canvas, gl);
  } catch (error) {
    console.warn(`nblabel: the map is drawn without the graphics card: ${String(error)}`);
  }
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return null;
}
