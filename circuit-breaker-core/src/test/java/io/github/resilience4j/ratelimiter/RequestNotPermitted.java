package io.github.resilience4j.ratelimiter;

/** Stands for the refusal of that name in a library that this one does not depend on. */
public class RequestNotPermitted extends RuntimeException {
    private static final long serialVersionUID = 1;
}
