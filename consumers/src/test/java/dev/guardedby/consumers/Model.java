package dev.guardedby.consumers;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.springframework.stereotype.Component;

/** A remote that answers until it is told to fail, and remembers who called. */
@Component
final class Model {
    /** A text, and what it took. */
    record Answer(String text, int tokens) {}

    private final AtomicBoolean failing = new AtomicBoolean();
    private final AtomicInteger calls = new AtomicInteger();
    private final Set<Thread> callers = ConcurrentHashMap.newKeySet();

    Answer answer(String question) {
        callers.add(Thread.currentThread());
        calls.incrementAndGet();
        if (question.isBlank()) {
            throw new BadQuestionException();
        }
        if (failing.get()) {
            throw new IllegalStateException("the model is ill");
        }
        return new Answer("yes", question.length());
    }

    void become(boolean ill) {
        failing.set(ill);
    }

    int calls() {
        return calls.get();
    }

    Set<Thread> callers() {
        return callers;
    }
}
