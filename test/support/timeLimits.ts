/**
 * The time limit of a call where no test is about time: for what hangs, however slow the machine is.
 */
export const generous = "10 minutes"
