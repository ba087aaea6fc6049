package dev.guardedby.circuitbreaker;

import static dev.guardedby.circuitbreaker.ServiceTier.BATCH;
import static dev.guardedby.circuitbreaker.ServiceTier.FLEX;
import static dev.guardedby.circuitbreaker.ServiceTier.PRIORITY;
import static dev.guardedby.circuitbreaker.ServiceTier.STANDARD;
import static dev.guardedby.circuitbreaker.TokenKind.AUDIO_INPUT;
import static dev.guardedby.circuitbreaker.TokenKind.CACHED_INPUT;
import static dev.guardedby.circuitbreaker.TokenKind.CACHE_WRITE;
import static dev.guardedby.circuitbreaker.TokenKind.CACHE_WRITE_1H;
import static dev.guardedby.circuitbreaker.TokenKind.INPUT;
import static dev.guardedby.circuitbreaker.TokenKind.OUTPUT;
import static dev.guardedby.circuitbreaker.TokenKind.REASONING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.groups.Tuple;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What calls cost. */
final class PriceBookTest {
    private static final Instant NOW = Instant.parse("2026-11-24T10:15:30Z");

    private static BigDecimal usd(String amount) {
        return new BigDecimal(amount);
    }

    private static ModelPrice.Builder model() {
        return ModelPrice.builder("m");
    }

    private static ModelPrice.Builder plain() {
        return model().price(INPUT, usd("2")).price(OUTPUT, usd("8"));
    }

    private static Optional<Cost> price(ModelPrice.Builder model, ServiceTier tier, Usage usage) {
        return PriceBook.of(List.of(model.build()))
                .price(ModelUsage.of("m", usage).with(tier), NOW);
    }

    private static long nano(ModelPrice.Builder model, Usage usage) {
        return price(model, STANDARD, usage).orElseThrow().nanoUsd();
    }

    private static Usage only(TokenKind kind, long count) {
        Usage.Builder usage = Usage.builder().tokens(kind, count);
        return (kind.whole() == null ? usage : usage.tokens(kind.whole(), count)).build();
    }

    @ParameterizedTest
    @CsvSource({
        "0.002,          1,             2", // one token at 2 nano-USD
        "0.000001,       1,             1", // at a thousandth of one: rounded up
        "0.0046875,      1,             5",
        "0.0046875,      16,            75",
        "0.003625,       1000,          3625",
        "0.3,            1000000,       300000000", // 0.30000000000419963 in doubles
        "0.0833333333333333333333, 3,   250",
        "600,            15370000,      9222000000000", // wraps in nano-USD times tokens
        "600,            2147483648,    1288490188800000",
        "600,            1000000000000, 600000000000000000",
        "1000000,        1000000000000, 9223372036854775807", // more than fits stops there
    })
    void sum_isExact_andRoundedUpOnce(String usdPerMillion, long tokens, long nanoUsd) {
        assertThat(nano(model().price(INPUT, usd(usdPerMillion)), only(INPUT, tokens)))
                .isEqualTo(nanoUsd);
    }

    @Test
    void manyParts_areRoundedOnce_notEach() {
        ModelPrice.Builder fine = model();
        Usage.Builder usage = Usage.builder();
        for (TokenKind kind : List.of(INPUT, CACHED_INPUT, CACHE_WRITE, CACHE_WRITE_1H, OUTPUT)) {
            fine.price(kind, usd("0.0002"));
            usage.tokens(kind, 1);
        }

        // 5 x 0.2 nano-USD
        assertThat(nano(fine, usage.build())).isEqualTo(1);
    }

    @Test
    void cliff_repricesAllTokens() {
        ModelPrice.Builder model = plain().price(CACHED_INPUT, usd("0.2"))
                .priceAbove(272_000, STANDARD, INPUT, usd("4"))
                .priceAbove(272_000, STANDARD, OUTPUT, usd("12"));

        assertThat(nano(model, Usage.of(272_000, 10))).isEqualTo(272_000 * 2_000L + 10 * 8_000);
        assertThat(nano(model, Usage.of(272_001, 10))).isEqualTo(272_001 * 4_000L + 10 * 12_000);
        // What comes from a cache makes a prompt long, too; a price that is missing there is that of shorter ones.
        assertThat(nano(
                        model,
                        Usage.builder()
                                .tokens(INPUT, 2_000)
                                .tokens(CACHED_INPUT, 270_001)
                                .build()))
                .isEqualTo(2_000 * 4_000L + 270_001 * 200L);
    }

    @Test
    void issue9_aHoldIsPricedOnTheSideOfTheCliffWhereTheCallIs() {
        ModelPrice.Builder model = plain().priceAbove(272_000, STANDARD, INPUT, usd("5"))
                .priceAbove(272_000, STANDARD, OUTPUT, usd("22.5"));

        assertThat(List.of(271_999L, 272_000L, 272_001L))
                .extracting(input -> nano(model, Usage.of(input, 1_000)))
                .containsExactly(551_998_000L, 552_000_000L, 1_382_505_000L);
    }

    @Test
    void severalCliffs_theHighestBelowThePromptHolds() {
        ModelPrice.Builder model =
                plain().priceAbove(128_000, STANDARD, INPUT, usd("3")).priceAbove(512_000, STANDARD, INPUT, usd("5"));

        assertThat(List.of(128_000L, 128_001L, 512_000L, 512_001L))
                .extracting(input -> nano(model, Usage.of(input, 0)) / input)
                .containsExactly(2_000L, 3_000L, 3_000L, 5_000L);
    }

    @Test
    void issue15_unpricedModel_isNeverFree() {
        PriceBook book = PriceBook.of(List.of(plain().build()));

        assertThat(book.price(ModelUsage.of("other", Usage.of(1, 1)), NOW)).isEmpty();
        assertThat(book.price(ModelUsage.of(null, Usage.of(1, 1)), NOW)).isEmpty();
        assertThat(PriceBook.EMPTY.price(ModelUsage.of("m", Usage.of(1, 1)), NOW))
                .isEmpty();
        assertThat(book.price(ModelUsage.unknown("m"), NOW)).as("unknown usage").isEmpty();
        assertThat(price(plain(), STANDARD, Usage.builder().units("image", 1).build()))
                .as("a unit without a price")
                .isEmpty();
        assertThat(price(model().price(INPUT, usd("1")), STANDARD, Usage.of(0, 1)))
                .as("output without a price")
                .isEmpty();
        assertThat(price(model().unit("image", usd("0.04")), STANDARD, Usage.of(10, 0)))
                .as("nothing counted that is sold")
                .isEmpty();
    }

    @Test
    void issue16_inclusiveAndExclusiveCounts_costTheSame() {
        ModelPrice.Builder model = plain().price(CACHED_INPUT, usd("0.5"));
        // 1,000 tokens sent, 400 of them from a cache: OpenAI and Gemini say 1,000 and 400, Anthropic says 600 and 400.
        Usage inclusive = Usage.builder()
                .tokens(INPUT, 1_000 - 400)
                .tokens(CACHED_INPUT, 400)
                .tokens(OUTPUT, 50)
                .build();
        Usage exclusive = Usage.builder()
                .tokens(OUTPUT, 50)
                .tokens(CACHED_INPUT, 400)
                .tokens(INPUT, 600)
                .build();

        assertThat(price(model, STANDARD, inclusive))
                .contains(new Cost(1_000, 50, 600 * 2_000 + 400 * 500 + 50 * 8_000))
                .isEqualTo(price(model, STANDARD, exclusive));
    }

    @ParameterizedTest
    @EnumSource(names = {"CACHED_INPUT", "CACHE_WRITE", "CACHE_WRITE_1H"})
    void issue17_callOfNothingButCachedTokens_costsSomething(TokenKind kind) {
        assertThat(nano(plain(), only(kind, 1_000))).isEqualTo(2_000_000);
    }

    @Test
    void issue31_tinyCost_isNotRoundedToNothing() {
        assertThat(nano(model().price(INPUT, usd("0.002")), only(INPUT, 1))).isEqualTo(2);
        assertThat(nano(model().price(INPUT, usd("0.0000000001")), only(INPUT, 1)))
                .isEqualTo(1);
    }

    @Test
    void missingPrices_areThoseOfTheNextKind() {
        assertThat(nano(plain().price(CACHE_WRITE, usd("2.5")), only(CACHE_WRITE_1H, 1_000_000)))
                .isEqualTo(2_500_000_000L);
        assertThat(nano(plain(), only(REASONING, 1_000_000))).isEqualTo(8_000_000_000L);
        assertThat(nano(plain(), only(AUDIO_INPUT, 1_000_000))).isEqualTo(2_000_000_000L);
    }

    @Test
    void partsOfTheOutput_arePaidOnce() {
        Usage usage = Usage.builder().tokens(OUTPUT, 100).tokens(REASONING, 60).build();

        assertThat(nano(plain().price(REASONING, usd("10")), usage)).isEqualTo(40 * 8_000 + 60 * 10_000);
    }

    @Test
    void tiers_havePricesOfTheirOwn_orAFactor_orThoseOfEverybody() {
        ModelPrice.Builder model = plain().price(CACHED_INPUT, usd("0.2"))
                .factor(BATCH, usd("0.5"))
                .price(BATCH, OUTPUT, usd("3"))
                .price(PRIORITY, INPUT, usd("4"));
        Usage input = only(INPUT, 1_000_000);
        Usage output = only(OUTPUT, 1_000_000);
        Usage cached = only(CACHED_INPUT, 1_000_000);

        assertThat(List.of(STANDARD, BATCH, FLEX, PRIORITY))
                .extracting(
                        tier -> price(model, tier, input).orElseThrow().usd(),
                        tier -> price(model, tier, output).orElseThrow().usd(),
                        tier -> price(model, tier, cached).orElseThrow().usd())
                .containsExactly(
                        tuple("2", "8", "0.2"), tuple("1", "3", "0.1"), tuple("2", "8", "0.2"), tuple("4", "8", "0.2"));
    }

    private static Tuple tuple(String... amounts) {
        return new Tuple(List.of(amounts).stream().map(BigDecimal::new).toArray());
    }

    @Test
    void tierWithoutAPriceForLongPrompts_costsTheHigherOne() {
        ModelPrice.Builder model = plain().price(BATCH, INPUT, usd("1"))
                .price(PRIORITY, INPUT, usd("6"))
                .factor(FLEX, usd("0.5"))
                .priceAbove(200_000, STANDARD, INPUT, usd("4"))
                .priceAbove(400_000, PRIORITY, INPUT, usd("7"));
        ModelPrice price = model.build();

        assertThat(List.of(BATCH, FLEX, PRIORITY))
                .extracting(
                        tier -> price.perMillion(INPUT, tier, 200_000).orElseThrow(),
                        tier -> price.perMillion(INPUT, tier, 200_001).orElseThrow(),
                        tier -> price.perMillion(INPUT, tier, 400_001).orElseThrow())
                .containsExactly(tuple("1", "4", "4"), tuple("1.0", "2.0", "2.0"), tuple("6", "6", "7"));
    }

    @Test
    void units_arePaidByThePiece_besideTokens_orAlone() {
        ModelPrice.Builder searching = plain().unit("web-search", usd("0.01"));
        Usage search = Usage.builder()
                .tokens(INPUT, 1_000)
                .units("web-search", 3)
                .units("request", 1)
                .build();
        ModelPrice.Builder drawing = model().unit("image", usd("0.04"));
        Usage images = Usage.builder().tokens(INPUT, 77).units("image", 2).build();

        assertThat(nano(searching, search)).isEqualTo(2_000_000 + 30_000_000);
        assertThat(price(drawing, STANDARD, images)).contains(new Cost(77, 0, 80_000_000));
        assertThat(drawing.build().units()).containsExactly(Map.entry("image", usd("0.04")));
    }

    @Test
    void request_isPaidOnceACall_unlessTheUsageCountsThem() {
        ModelPrice.Builder model = plain().unit("request", usd("0.005"));

        assertThat(nano(model, Usage.of(1_000, 0))).isEqualTo(5_000_000 + 2_000_000);
        assertThat(nano(model, Usage.builder().units("request", 3).build())).isEqualTo(15_000_000);
        assertThat(nano(model().unit("request", usd("0.005")), Usage.of(1_000, 7)))
                .isEqualTo(5_000_000);
    }

    @Test
    void prices_holdFromTheirDayOn() {
        Instant summer = Instant.parse("2026-06-01T00:00:00Z");
        PriceBook book = PriceBook.of(List.of(
                model().from(NOW).price(INPUT, usd("3")).build(),
                model().from(summer).price(INPUT, usd("2")).build()));
        ModelUsage million = ModelUsage.of("m", Usage.of(1_000_000, 0));

        assertThat(List.of(summer.minusNanos(1), summer, NOW.minusNanos(1), NOW))
                .extracting(at -> book.price(million, at).map(Cost::usd).orElse(null))
                .containsExactly(null, usd("2"), usd("2"), usd("3"));
        PriceBook before = PriceBook.of(List.of(model().price(INPUT, usd("1")).build()));
        assertThat(book.orElse(before).price(million, summer.minusNanos(1)).map(Cost::usd))
                .contains(usd("1"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PriceBook.of(List.of(
                        model().from(NOW).price(INPUT, usd("3")).build(),
                        ModelPrice.builder("n")
                                .alias("m")
                                .from(NOW)
                                .price(INPUT, usd("3"))
                                .build())))
                .withMessage("model 'm' has two prices from 2026-11-24T10:15:30Z, of 'm' and of 'n'");
    }

    @ParameterizedTest
    @CsvSource({
        "-0.01,       'must be at least 0, but was -0.01'",
        "-1E-99,      'must be at least 0, but was -1E-99'",
        "1000000.01,  'must be at most 1000000, but was 1000000.01'",
        "1E+999999999,'must be at most 1000000, but was 1E+999999999'",
        "1E-999999999,'must have at most 40 decimals, but was 1E-999999999'",
    })
    void pricesOutOfRange_areRefused(String price, String rule) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model().price(CACHED_INPUT, usd(price)))
                .withMessage("cached-input " + rule);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model().unit("image", usd(price)))
                .withMessage("image " + rule);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model().factor(BATCH, usd(price)))
                .withMessage("factor " + rule);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model().priceAbove(1, FLEX, OUTPUT, usd(price)))
                .withMessage("output " + rule);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "0E+999999999", "0E-999999999"})
    void zeroThatIsWritten_isAPrice(String zero) {
        assertThat(nano(model().price(INPUT, usd(zero)), only(INPUT, 1_000))).isZero();
    }

    @Test
    void modelsWithoutANameOrAPrice_areRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ModelPrice.builder(" "))
                .withMessage("model must be 1 to 256 characters and not blank, but was ' '");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model().alias(""))
                .withMessage("alias must be 1 to 256 characters and not blank, but was ''");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model().factor(BATCH, usd("0.5")).build())
                .withMessage("model 'm' must have a price, but has none");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model().priceAbove(0, STANDARD, INPUT, usd("1")))
                .withMessage("tokens must be at least 1, but was 0");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model().factor(STANDARD, usd("1")))
                .withMessage("factor must be of another tier than standard");
    }

    /** More of anything never costs less, as long as longer prompts are not cheaper; and nothing is negative. */
    @Test
    void price_growsWithEachCount_andIsNeverNegative() {
        Random random = new Random(20_261_124);
        for (int round = 0; round < 2_000; round++) {
            ModelPrice.Builder model = randomModel(random);
            ServiceTier tier = List.of(STANDARD, BATCH, FLEX, PRIORITY).get(random.nextInt(4));
            for (TokenKind kind : TokenKind.values()) {
                Usage less = randomUsage(random, kind, 0);
                Usage more = plus(less, kind, 1 + random.nextInt(200_000));
                long costsLess = price(model, tier, less).orElseThrow().nanoUsd();
                long costsMore = price(model, tier, more).orElseThrow().nanoUsd();

                assertThat(costsLess).isNotNegative();
                assertThat(costsMore)
                        .as("%s %s: %s, %s", tier, kind, less, more)
                        .isGreaterThanOrEqualTo(costsLess);
            }
        }
    }

    private static ModelPrice.Builder randomModel(Random random) {
        ModelPrice.Builder model = model();
        for (TokenKind kind : TokenKind.values()) {
            BigDecimal base = BigDecimal.valueOf(random.nextInt(1_000_000), 6);
            // A part costs at least what the whole does: to say that a token is audio must not make it cheaper.
            BigDecimal price = kind.whole() == null ? base : base.add(BigDecimal.TEN);
            model.price(kind, price);
            model.priceAbove(200_000, STANDARD, kind, price.add(BigDecimal.valueOf(random.nextInt(1_000_000), 6)));
            if (random.nextBoolean()) {
                model.price(FLEX, kind, price);
            }
        }
        return model.factor(BATCH, usd("0.5"));
    }

    private static Usage randomUsage(Random random, TokenKind kind, long count) {
        Usage.Builder usage = Usage.builder();
        for (TokenKind each : List.of(INPUT, CACHED_INPUT, CACHE_WRITE, CACHE_WRITE_1H, OUTPUT)) {
            usage.tokens(each, 200_000 + random.nextInt(1_000) - 150_000L * random.nextInt(2));
        }
        return usage.tokens(kind, kind.whole() == null ? random.nextInt(1_000) : count)
                .build();
    }

    private static Usage plus(Usage usage, TokenKind kind, long more) {
        Usage.Builder sum = Usage.builder();
        for (TokenKind each : TokenKind.values()) {
            sum.tokens(each, usage.tokens(each));
        }
        long count = usage.tokens(kind) + more;
        return sum.tokens(kind, kind.whole() == null ? count : Math.min(count, usage.tokens(kind.whole())))
                .build();
    }

    @Test
    void reload_takesEffectForTheNextCall_andAFailedOneForNone() {
        PriceBook first = PriceBook.of(List.of(plain().build()));
        PriceBook second = PriceBook.of(List.of(model().price(INPUT, usd("3")).build()));
        Deque<PriceBook> file = new ArrayDeque<>(List.of(first, second));
        Prices prices = Prices.from(file::remove);
        PriceBook ofTheCall = prices.current();

        assertThat(prices.reload()).isSameAs(second).isSameAs(prices.current());
        assertThat(ofTheCall).isSameAs(first);
        assertThatThrownBy(prices::reload).isInstanceOf(NoSuchElementException.class);
        assertThat(prices.current()).isSameAs(second);
    }

    @Test
    void slowReload_doesNotPutBackWhatAQuickerOneHasReplaced() throws InterruptedException {
        CountDownLatch slowHasRead = new CountDownLatch(1);
        CountDownLatch quickIsDone = new CountDownLatch(1);
        PriceBook old = PriceBook.of(List.of(plain().build()));
        PriceBook fresh = PriceBook.of(List.of());
        Thread[] slow = new Thread[1];
        Prices prices = Prices.from(() -> {
            if (Thread.currentThread() != slow[0]) {
                return slow[0] == null ? PriceBook.EMPTY : fresh;
            }
            slowHasRead.countDown();
            awaitQuietly(quickIsDone);
            return old;
        });
        AtomicReference<PriceBook> answered = new AtomicReference<>();
        slow[0] = new Thread(() -> answered.set(prices.reload()));
        slow[0].start();
        slowHasRead.await();
        List<PriceBook> seen = new ArrayList<>(List.of(prices.current(), prices.reload()));
        quickIsDone.countDown();
        slow[0].join();
        seen.add(prices.current());

        assertThat(seen).containsExactly(PriceBook.EMPTY, fresh, fresh);
        assertThat(answered).hasValue(fresh);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
