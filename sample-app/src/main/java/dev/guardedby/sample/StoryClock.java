package dev.guardedby.sample;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import org.springframework.stereotype.Component;

/** A wall clock that can be sped up, so that nobody has to wait for the night. */
@Component
final class StoryClock implements InstantSource {
    private final Pace pace;
    private volatile Course course;

    StoryClock(Pace pace) {
        this.pace = pace;
        this.course = new Course(Instant.now(), pace.now(), 1);
    }

    @Override
    public Instant instant() {
        return course.at(pace.now());
    }

    /** Runs so fast that a moment comes within that much time; at least as fast as time itself. */
    void hurryTo(Instant moment, Duration within) {
        run(Duration.between(instant(), moment).dividedBy(within) + 1);
    }

    /** Runs as time does, from where it is. */
    void runNormally() {
        run(1);
    }

    private void run(long speed) {
        long now = pace.now();
        course = new Course(course.at(now), now, Math.max(1, speed));
    }

    /** How it has run since it was last touched. */
    private record Course(Instant from, long since, long speed) {
        Instant at(long now) {
            return from.plus(Duration.ofNanos(now - since).multipliedBy(speed));
        }
    }
}
