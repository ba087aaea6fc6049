package dev.guardedby.consumers;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** An application as a user writes it, but for the time, which a test moves. */
@SpringBootApplication(proxyBeanMethods = false)
class Application {
    /** Monotonic nanoseconds that stand still. */
    static final class Time implements LongSupplier {
        private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 1);

        @Override
        public long getAsLong() {
            return now.get();
        }

        void advanceSeconds(long seconds) {
            now.addAndGet(seconds * 1_000_000_000);
        }
    }

    @Bean
    Time guardedByTicker() {
        return new Time();
    }

    @RestController
    static final class Questions {
        private final Assistant assistant;

        Questions(Assistant assistant) {
            this.assistant = assistant;
        }

        @GetMapping("/ask")
        String ask(@RequestParam("q") String question) {
            return assistant.askOrApologise(question);
        }
    }
}
