// The example is a suite of its own: importing it runs it.
import "../../examples/testingHandlers.test.js"
