package dev.guardedby.sample;

import java.time.Duration;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Primary;

/** A story on a fake clock, the same that the breakers have: a pause moves it and takes no time. */
final class FakePace extends Pace {
    private final FakeTicker ticker;

    FakePace(FakeTicker ticker) {
        this.ticker = ticker;
    }

    @Override
    long now() {
        return ticker.getAsLong();
    }

    @Override
    void pause(Duration duration) {
        ticker.advance(duration);
    }

    /** Makes it the pace of an application. */
    @TestConfiguration(proxyBeanMethods = false)
    static class Config {
        @Bean
        @Primary
        FakePace fakePace(FakeTicker ticker) {
            return new FakePace(ticker);
        }
    }
}
