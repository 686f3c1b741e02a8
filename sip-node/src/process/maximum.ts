/** The greatest value since it was taken last, and at least 0. */
export class Maximum {
  private value = 0;

  add(value: number): void {
    this.value = Math.max(this.value, value);
  }

  take(): number {
    const { value } = this;
    this.value = 0;
    return value;
  }
}
