package dev.guardedby.sample;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.springframework.stereotype.Component;

/** The time that the story is told in. */
@Component
class Pace { // not final: a test has a time of its own
    /** Monotonic nanoseconds. */
    long now() {
        return System.nanoTime();
    }

    /** Lets that much time pass. */
    void pause(Duration duration) throws InterruptedException {
        TimeUnit.NANOSECONDS.sleep(duration.toNanos());
    }
}
