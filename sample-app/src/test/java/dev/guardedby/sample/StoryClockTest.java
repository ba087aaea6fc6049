package dev.guardedby.sample;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class StoryClockTest {
    private final FakeTicker ticker = new FakeTicker();
    private final StoryClock clock = new StoryClock(new FakePace(ticker));
    private final Instant begin = clock.instant();

    @Test
    void runsAsTimeDoes_untilItIsSpedUp_andGoesOnFromWhereItIs() {
        pass(Duration.ofSeconds(3));
        assertThat(clock.instant()).isEqualTo(begin.plusSeconds(3));

        Instant night = begin.plusSeconds(3).plus(Duration.ofHours(10));
        clock.hurryTo(night, Duration.ofSeconds(2));
        pass(Duration.ofSeconds(1));
        assertThat(clock.instant()).isBetween(begin.plus(Duration.ofHours(5)), night);
        pass(Duration.ofSeconds(1));
        Instant reached = clock.instant();
        assertThat(reached).isBetween(night, night.plusSeconds(2));

        clock.runNormally();
        pass(Duration.ofSeconds(3));
        assertThat(clock.instant()).isEqualTo(reached.plusSeconds(3));
    }

    @Test
    void momentThatIsNearOrOver_neitherSlowsItDownNorTurnsItBack() {
        clock.hurryTo(begin.minus(Duration.ofDays(1)), Duration.ofSeconds(1));
        pass(Duration.ofSeconds(1));
        assertThat(clock.instant()).isEqualTo(begin.plusSeconds(1));

        clock.hurryTo(begin.plusSeconds(1).plusMillis(10), Duration.ofSeconds(1));
        pass(Duration.ofSeconds(1));
        assertThat(clock.instant()).isEqualTo(begin.plusSeconds(2));
    }

    private void pass(Duration duration) {
        ticker.advance(duration);
    }
}
