package io.github.resilience4j.bulkhead;

/** Stands for the refusal of that name in a library that this one does not depend on. */
public class BulkheadFullException extends RuntimeException {
    private static final long serialVersionUID = 1;
}
