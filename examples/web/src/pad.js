// A canvas to draw on: strokes of pointers or of the keyboard, or a picture laid on it.

const WIDTH = 34; // of a stroke, in pixels of the canvas
const STEP = 14; // of an arrow key

export class Pad {
  /** @param onChange called after each change of what is drawn. */
  constructor(canvas, onChange) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { willReadFrequently: true });
    this.onChange = onChange;
    this.strokes = []; // each a list of {x, y, width}, or {picture}
    this.drawing = null;
    this.pen = { x: canvas.width / 2, y: canvas.height / 4, down: false, shown: false };
    canvas.addEventListener("pointerdown", (event) => this.begin(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (this.drawing = null));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => this.showPen(false));
    this.paint();
  }

  get isEmpty() {
    return this.strokes.length === 0;
  }

  /** Raw pixels as a model file takes them: RGBA. */
  pixels() {
    this.paint(false);
    const { data, width, height } = this.context.getImageData(0, 0, this.canvas.width, this.canvas.height);
    if (this.pen.shown) this.paint();
    return { data: new Uint8Array(data.buffer), width, height, channels: 4 };
  }

  begin(event) {
    if (event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.dropPicture();
    this.drawing = [this.point(event)];
    this.strokes.push(this.drawing);
    this.changed();
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.showPen(false);
  }

  move(event) {
    if (!this.drawing) return;
    const events = event.getCoalescedEvents?.() ?? [];
    this.drawing.push(...(events.length ? events : [event]).map((each) => this.point(each)));
    this.changed();
  }

  point(event) {
    const place = this.canvas.getBoundingClientRect();
    const scale = this.canvas.width / place.width;
    // a mouse says 0.5 while it is pressed
    const pressure = event.pointerType === "pen" ? 0.5 + event.pressure : 1;
    return { x: (event.clientX - place.left) * scale, y: (event.clientY - place.top) * scale, width: WIDTH * pressure };
  }

  key(event) {
    const steps = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
    if (event.key === " ") {
      this.pen.down = !this.pen.down;
      if (this.pen.down) {
        this.dropPicture();
        this.strokes.push([{ ...this.pen, width: WIDTH }]);
      }
    } else if (event.key in steps) {
      const [across, down] = steps[event.key];
      this.pen.x = Math.min(Math.max(this.pen.x + across, 0), this.canvas.width);
      this.pen.y = Math.min(Math.max(this.pen.y + down, 0), this.canvas.height);
      if (this.pen.down) this.strokes.at(-1).push({ ...this.pen, width: WIDTH });
    } else {
      return;
    }
    event.preventDefault();
    this.pen.shown = true;
    this.changed();
  }

  showPen(shown) {
    if (!shown) this.pen.down = false;
    this.pen.shown = shown;
    this.paint();
  }

  undo() {
    this.strokes.pop();
    this.pen.down = false;
    this.changed();
  }

  clear() {
    this.strokes = [];
    this.pen.down = false;
    this.changed();
  }

  /** Shows a decoded picture in place of what was drawn. */
  show(picture) {
    this.strokes = [{ picture }];
    this.changed();
  }

  dropPicture() {
    this.strokes = this.strokes.filter((each) => !each.picture);
  }

  changed() {
    this.paint();
    this.onChange();
  }

  paint(withPen = this.pen.shown) {
    const { context, canvas } = this;
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = context.fillStyle = "#000";
    for (const stroke of this.strokes) {
      if (stroke.picture) {
        const { width, height } = stroke.picture;
        const scale = Math.min(canvas.width / width, canvas.height / height);
        const [w, h] = [width * scale, height * scale];
        context.drawImage(stroke.picture, (canvas.width - w) / 2, (canvas.height - h) / 2, w, h);
        continue;
      }
      for (const [place, { x, y, width }] of stroke.entries()) {
        const before = stroke[Math.max(place - 1, 0)];
        context.lineWidth = width;
        context.beginPath();
        context.moveTo(before.x, before.y);
        context.lineTo(x, y);
        context.stroke();
      }
    }
    if (withPen) {
      context.beginPath();
      context.arc(this.pen.x, this.pen.y, WIDTH / 2, 0, 2 * Math.PI);
      context.lineWidth = 3;
      context.strokeStyle = this.pen.down ? "#2457c5" : "#888";
      context.stroke();
    }
  }
}
