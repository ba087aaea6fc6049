package dev.guardedby.consumers;

/** Our own mistake, and no sign that the model is ill. */
final class BadQuestionException extends RuntimeException {
    private static final long serialVersionUID = 1;
}
