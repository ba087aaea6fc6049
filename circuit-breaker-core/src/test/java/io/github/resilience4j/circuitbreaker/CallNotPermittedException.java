package io.github.resilience4j.circuitbreaker;

/** Stands for the refusal of that name in a library that this one does not depend on. */
public class CallNotPermittedException extends RuntimeException {
    private static final long serialVersionUID = 1;
}
