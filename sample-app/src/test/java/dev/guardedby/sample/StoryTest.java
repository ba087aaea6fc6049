package dev.guardedby.sample;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;

@ExtendWith(OutputCaptureExtension.class)
class StoryTest {
    private static final Pattern ROW = Pattern.compile("(?m)^ *(\\d+\\.\\d) s  (CLOSED|OPEN|HALF_OPEN) +(.*)$");

    @Test
    void story_namesTheStatesInTheirOrderAndEnds(CapturedOutput output) throws Exception {
        try (var application = start()) {
            application.getBean(Story.class).told().get(30, TimeUnit.SECONDS);
            List<MatchResult> rows = ROW.matcher(output.getOut()).results().toList();

            allBeginInTheSameColumn(output.getOut(), rows);
            assertThat(states(rows)).containsExactly("CLOSED", "OPEN", "HALF_OPEN", "OPEN", "HALF_OPEN", "CLOSED");
            assertThat(Double.parseDouble(rows.get(rows.size() - 1).group(1))).isLessThan(15);
            assertThat(output.getOut())
                    .contains("1,000 more calls in ")
                    .contains(": 1,000 refused, 0 reached the model")
                    .contains("In all: ")
                    .contains("curl 'http://localhost:" + port(application) + "/ask?q=");
            assertThat(output.getErr()).isEmpty();
        }
    }

    @Test
    void day_isSpent_byACheaperModelInTheEnd_thenCallsAreRefused_andTheNextOneHasMoneyAgain(CapturedOutput output)
            throws Exception {
        try (var application = start()) {
            application.getBean(Story.class).told().get(30, TimeUnit.SECONDS);
        }

        String day = output.getOut().substring(output.getOut().indexOf("the day goes on"));
        assertThat(Pattern.compile("50 % of the budget|65 % of the budget|gpt-4.1-\\w+ in|streamed|callers at once"
                                + "|refused in|the clock runs fast|a new day")
                        .matcher(day)
                        .results()
                        .map(MatchResult::group)
                        .distinct())
                .containsExactly(
                        "gpt-4.1-mini in",
                        "50 % of the budget",
                        "65 % of the budget",
                        "gpt-4.1-nano in",
                        "streamed",
                        "callers at once",
                        "refused in",
                        "the clock runs fast",
                        "a new day");
        assertThat(day)
                .containsPattern(" 32   13  0.0000336 +\\d+ %  gpt-4.1-mini in .*: It stops calling")
                .containsPattern(" 32   13  0.0000084 +\\d+ %  gpt-4.1-nano in .*: It stops calling")
                .containsPattern(" 28   15  0.0000088 +\\d+ %  gpt-4.1-nano in .*, streamed in 13 pieces: What a model")
                .containsPattern(
                        "refused in .*: out of budget 'daily', [\\d.]+ of 0.0004 USD per day"
                                + " are spent, and this call may cost [\\d.]+; it resets in .*, at \\d{4}-\\d\\d-\\d\\dT00:00:00Z")
                .containsPattern("a new day .*\\n.* 0.0000356 +8 %  gpt-4.1-mini in ");
        assertThat(sum(output.getOut(), " (\\d\\.\\d{7}) +\\d+ %  "))
                .isEqualTo(sum(output.getOut(), "Spent: .* ([\\d.]+) USD"))
                .isGreaterThan(new BigDecimal("0.0003"));
        assertThat(Pattern.compile(" (\\d+) %  ")
                        .matcher(output.getOut())
                        .results()
                        .map(row -> row.group(1)))
                .hasSizeGreaterThan(20)
                .allSatisfy(percent -> assertThat(Integer.parseInt(percent)).isLessThanOrEqualTo(100));
        assertThat(output.getErr()).isEmpty();
    }

    @Test
    void budgetThatNoStorySpends_isLeftAtThat(CapturedOutput output) throws Exception {
        try (var application = start("--DAILY_USD=1")) {
            application.getBean(Story.class).told().get(30, TimeUnit.SECONDS);
        }

        assertThat(output.getOut())
                .contains("the budget is too large to be spent in a story")
                .doesNotContain("gpt-4.1-nano");
    }

    private static BigDecimal sum(String output, String pattern) {
        return Pattern.compile(pattern)
                .matcher(output)
                .results()
                .map(amount -> new BigDecimal(amount.group(1)).stripTrailingZeros())
                .reduce(BigDecimal.ZERO, BigDecimal::add);
    }

    @Test
    void applicationThatStops_takesItsStoryWithIt() {
        Story story;
        try (var application =
                start(new Class<?>[] {SampleApplication.class})) { // in real time, so that it is still at it
            story = application.getBean(Story.class);
        }

        assertThat(story.told()).failsWithin(5, TimeUnit.SECONDS).withThrowableOfType(CancellationException.class);
    }

    @Test
    void waitLongerThanTheStory_endsItWithTheReasonAndLeavesAHealthyModel(CapturedOutput output) throws Exception {
        try (var application = start("--guardedby.breakers.llm.recovery-timeout=5m")) {
            application.getBean(Story.class).told().get(30, TimeUnit.SECONDS);

            assertThat(output.getOut())
                    .contains("the story stops here: it may take 14 s, but what comes next is 299.9 s away")
                    .contains("/actuator/guardedby");
            assertThat(application.getBean(LoopbackModel.class).mood()).isEqualTo(LoopbackModel.Mood.HEALTHY);
        }
    }

    @Test
    void storySwitchedOff_leavesTheAddressesOnly(CapturedOutput output) throws Exception {
        try (var application = start("--sample.story=false")) {
            application.getBean(Story.class).told().get(5, TimeUnit.SECONDS);

            assertThat(ROW.matcher(output.getOut()).results()).isEmpty();
            assertThat(output.getOut()).contains("http://localhost:" + port(application) + "/actuator/guardedby");
            assertThat(application.getBean(LoopbackModel.class).requests()).isZero();
        }
    }

    private static ConfigurableApplicationContext start(String... arguments) {
        Class<?>[] onAFakeClock = {SampleApplication.class, FakeTicker.Config.class, FakePace.Config.class};
        return start(onAFakeClock, arguments);
    }

    private static ConfigurableApplicationContext start(Class<?>[] sources, String... arguments) {
        return new SpringApplicationBuilder(sources)
                // Whoever runs the tests may have a provider in the environment.
                .run(Stream.concat(
                                Stream.of("--sample.model.base-url=", "--sample.model.patience=30s", "--server.port=0"),
                                Arrays.stream(arguments))
                        .toArray(String[]::new));
    }

    private static String port(ConfigurableApplicationContext application) {
        return application.getEnvironment().getRequiredProperty("local.server.port");
    }

    private static void allBeginInTheSameColumn(String output, List<MatchResult> rows) {
        String heading = output.lines()
                .filter(line -> line.endsWith("what happened"))
                .findFirst()
                .orElseThrow();
        int column = heading.indexOf("what happened");
        assertThat(rows.stream().map(MatchResult::group))
                .hasSizeGreaterThan(15)
                .allSatisfy(row -> assertThat(row.substring(column - 2, column)).isBlank())
                .allSatisfy(row -> assertThat(row.charAt(column)).isNotEqualTo(' '));
    }

    private static List<String> states(List<MatchResult> rows) {
        List<String> states = new ArrayList<>();
        for (MatchResult row : rows) {
            String state = row.group(2);
            if (states.isEmpty() || !states.get(states.size() - 1).equals(state)) {
                states.add(state);
            }
        }
        return states;
    }
}
