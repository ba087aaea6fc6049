package org.springframework.resilience;

import java.util.concurrent.RejectedExecutionException;

/** Stands for the refusal of that name in a library that this one does not depend on. */
public class InvocationRejectedException extends RejectedExecutionException {
    private static final long serialVersionUID = 1;
}
