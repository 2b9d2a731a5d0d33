// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>
#include <zlib.h>

#include "harness.hpp"

namespace exchange_sim::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class FaultTest : public FrontTest {
 protected:
  void SetUp() override { start(two_sites()); }
  void rule(const std::string& json) {
    const auto added = sim->faults().add_json(json);
    ASSERT_TRUE(added) << added.error().message;
  }
};

TEST_F(FaultTest, a_cut_gives_exactly_the_first_k_octets_for_every_k) {
  const auto whole = ews(soap(get_item())).octets;
  ASSERT_GT(whole, 500u);
  for (std::size_t k = 0; k < whole; k += 7) {
    sim->faults().clear();
    FaultRule cut;
    cut.action = Action::cut;
    cut.offset = k;
    sim->faults().add(cut);
    const auto before = service.callers.size();
    const auto answer = ews(soap(get_item()));
    EXPECT_TRUE(answer.ended_early);
    EXPECT_EQ(answer.octets, k);
    EXPECT_TRUE(last().is_cut);
    EXPECT_EQ(service.callers.size(), before + 1) << "the request was handled all the same";
  }
  sim->faults().clear();
  FaultRule beyond;
  beyond.action = Action::cut;
  beyond.offset = whole + 1;
  sim->faults().add(beyond);
  EXPECT_FALSE(ews(soap(get_item())).ended_early);
  EXPECT_FALSE(last().is_cut);
}

TEST_F(FaultTest, an_abort_is_before_or_after_the_request_was_handled) {
  rule(R"({"action":"abort-before","times":1})");
  EXPECT_TRUE(ews(soap(get_item())).ended_early);
  EXPECT_THAT(service.callers, IsEmpty());
  EXPECT_FALSE(last().handled);
  EXPECT_EQ(last().status, 0);
  sim->faults().clear();
  rule(R"({"action":"abort-after","times":1})");
  const auto lost = ews(soap(get_item()));
  EXPECT_TRUE(lost.ended_early);
  EXPECT_EQ(lost.octets, 0u);
  EXPECT_THAT(service.callers, SizeIs(1));
  EXPECT_TRUE(last().handled);
  EXPECT_EQ(ews(soap(get_item())).status, 200);
}

TEST_F(FaultTest, a_delay_is_virtual_time) {
  rule(R"({"action":"delay","waitMs":90000})");
  const auto before = world.elapsed();
  EXPECT_EQ(ews(soap(get_item())).status, 200);
  EXPECT_EQ(world.elapsed() - before, std::chrono::seconds(90));
  EXPECT_EQ(last().duration_ms, 90000);
}

TEST_F(FaultTest, rules_match_by_operation_mailbox_user_and_site) {
  rule(R"([{"action":"status","status":502,"operation":"FindItem"},
           {"action":"status","status":502,"mailbox":"bert@example.test"},
           {"action":"status","status":502,"user":"robot@example.test"},
           {"action":"status","status":502,"site":"online"}])");
  EXPECT_EQ(ews(soap(get_item())).status, 200);
  EXPECT_EQ(ews(soap("<m:FindItem/>")).status, 502);
  EXPECT_EQ(ews(soap(get_item()), {{"Authorization", basic("bert", "geheim")}}).status, 502);
  EXPECT_EQ(ews(soap(get_item(), impersonating("SmtpAddress", "anna@example.test")),
                {{"Authorization", basic("robot", "robot")}})
                .status,
            502);
  EXPECT_THAT(last().fault_rules, ::testing::ElementsAre(3));
}

TEST_F(FaultTest, rules_skip_repeat_and_end) {
  rule(R"({"action":"status","status":502,"skip":2,"every":2,"times":2})");
  std::string seen;
  for (int i = 0; i < 9; ++i) seen += ews(soap(get_item())).status == 502 ? 'x' : '.';
  EXPECT_EQ(seen, "..x.x....");
}

TEST_F(FaultTest, chance_is_seeded) {
  const auto draws = [](std::uint64_t seed) {
    FaultBook book(seed);
    FaultRule rule;
    rule.probability = 0.3;
    book.add(rule);
    std::string out;
    for (int i = 0; i < 1000; ++i) out += book.take({"s", "o", "m", "u"}).empty() ? '.' : 'x';
    return out;
  };
  EXPECT_EQ(draws(7), draws(7));
  EXPECT_NE(draws(7), draws(8));
  const auto seven = draws(7);
  const auto fired = std::count(seven.begin(), seven.end(), 'x');
  EXPECT_GT(fired, 220);
  EXPECT_LT(fired, 380);
}

TEST_F(FaultTest, rules_that_make_no_sense_are_refused_whole) {
  for (const char* bad : {"", "[]x", "{}", R"({"action":"explode"})", R"({"action":"delay","waitms":3})",
                          R"({"action":"delay","waitMs":-1})", R"({"action":"cut","offset":"3"})", R"([1])",
                          R"({"action":"busy","place":"moon"})", R"({"action":"delay","probability":2})",
                          R"({"action":"delay","every":0})", R"({"action":"status","status":99})",
                          R"([{"action":"delay"},{"action":"explode"}])"}) {
    const auto added = sim->faults().add_json(bad);
    if (std::string(bad).empty()) {
      EXPECT_TRUE(added && added->empty());
      continue;
    }
    EXPECT_FALSE(added) << bad;
  }
  EXPECT_THAT(sim->faults().rules(), IsEmpty());
  const auto lines = sim->faults().add_json("{\"action\":\"delay\"}\n\n{\"action\":\"cut\",\"offset\":4}\n");
  ASSERT_TRUE(lines);
  EXPECT_THAT(*lines, SizeIs(2));
}

TEST_F(FaultTest, answers_that_are_no_ews_answers) {
  rule(R"([{"action":"html-page","times":1},{"action":"unauthorized","skip":1,"times":1},
           {"action":"unavailable","waitMs":2500,"skip":2,"times":1},{"action":"ews-disabled","skip":0,"times":0}])");
  const auto page = ews(soap(get_item()));
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.field("Content-Type"), HasSubstr("text/html"));
  EXPECT_EQ(ews(soap(get_item())).status, 401);
  const auto unavailable = ews(soap(get_item()));
  EXPECT_EQ(unavailable.status, 503);
  EXPECT_EQ(unavailable.field("Retry-After"), "3") << "rounded up: coming back early would be wrong";
  EXPECT_THAT(service.callers, IsEmpty());
}

TEST_F(FaultTest, a_truncated_body_is_a_whole_http_answer) {
  rule(R"({"action":"truncate","offset":321})");
  const auto answer = ews(soap(get_item()));
  EXPECT_FALSE(answer.ended_early);
  EXPECT_EQ(answer.body.size(), 321u);
  EXPECT_EQ(answer.field("Content-Length"), "321");
}

TEST_F(FaultTest, a_false_length_is_claimed_and_the_true_body_follows) {
  const auto honest = ews(soap(get_item()));
  rule(R"({"action":"false-length","offset":2147483648})");
  const auto answer = ews(soap(get_item()));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.field("Content-Length"), "2147483648");
  EXPECT_EQ(answer.body, honest.body);
  EXPECT_TRUE(answer.ended_early) << "the end of the connection is the end of the answer";
  EXPECT_THAT(service.callers, SizeIs(2)) << "the request was handled";
  sim->faults().clear();
  EXPECT_EQ(ews(soap(get_item())).body, honest.body);
}

TEST_F(FaultTest, after_a_false_length_the_server_may_be_silent_first) {
  rule(R"({"action":"false-length","offset":2147483648,"waitMs":3600000})");
  const auto before = world.elapsed();
  EXPECT_TRUE(ews(soap(get_item())).ended_early);
  EXPECT_GE(world.elapsed() - before, std::chrono::hours(1));
}

TEST_F(FaultTest, a_length_that_is_too_short_leaves_the_rest_behind_it) {
  const auto honest = ews(soap(get_item()));
  rule(R"({"action":"false-length","offset":100})");
  Wire wire(world, "mail.example.test", true);
  const auto answer = wire.ask(
      "POST", "/EWS/Exchange.asmx",
      {{"Authorization", basic("anna@example.test", "secret")}, {"Content-Type", "text/xml; charset=utf-8"}},
      soap(get_item()));
  EXPECT_EQ(answer.field("Content-Length"), "100");
  EXPECT_EQ(answer.body, honest.body);
}

TEST_F(FaultTest, a_server_without_room_says_507) {
  rule(R"({"action":"insufficient-storage"})");
  const auto answer = ews(soap(get_item()));
  EXPECT_EQ(answer.status, 507);
  EXPECT_THAT(answer.head, HasSubstr("Insufficient Storage"));
  EXPECT_THAT(answer.field("Content-Type"), HasSubstr("text/html"));
  EXPECT_THAT(service.callers, IsEmpty());
}

TEST_F(FaultTest, a_gzip_bomb_is_small_on_the_wire) {
  rule(R"({"action":"gzip-bomb","offset":20000000})");
  const auto answer = ews(soap(get_item()));
  EXPECT_EQ(answer.field("Content-Encoding"), "gzip");
  EXPECT_LT(answer.body.size(), 100'000u);
  z_stream stream{};
  ASSERT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(answer.body.data()));
  stream.avail_in = static_cast<uInt>(answer.body.size());
  std::string buffer(1 << 20, '\0');
  int result = Z_OK;
  while (result == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    result = inflate(&stream, Z_NO_FLUSH);
  }
  EXPECT_EQ(result, Z_STREAM_END);
  EXPECT_GT(stream.total_out, 20'000'000u);
  inflateEnd(&stream);
}

TEST_F(FaultTest, a_response_code_answers_instead_of_the_service_or_for_one_item_of_it) {
  rule(R"({"action":"response-code","code":"ErrorInvalidSyncStateData","times":1})");
  EXPECT_THAT(ews(soap(get_item())).body, HasSubstr("ErrorInvalidSyncStateData"));
  EXPECT_THAT(service.callers, IsEmpty());
  sim->faults().clear();
  rule(R"({"action":"response-code","code":"ErrorMimeContentConversionFailed","index":0})");
  const auto answer = ews(soap(get_item()));
  EXPECT_THAT(answer.body, HasSubstr("ErrorMimeContentConversionFailed"));
  EXPECT_THAT(answer.body, ::testing::Not(HasSubstr("Quarterly figures")));
  EXPECT_THAT(service.callers, SizeIs(1));
  EXPECT_THAT(last().codes, ::testing::ElementsAre("ErrorMimeContentConversionFailed"));
}

TEST_F(FaultTest, a_soap_fault_has_any_code_and_a_hint_if_wanted) {
  rule(R"({"action":"soap-fault","code":"ErrorMailboxStoreUnavailable","text":"a < b","waitMs":77})");
  const auto answer = ews(soap(get_item()));
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, HasSubstr("a:ErrorMailboxStoreUnavailable"));
  EXPECT_THAT(answer.body, HasSubstr("a &lt; b"));
  EXPECT_THAT(answer.body, HasSubstr("BackOffMilliseconds\">77<"));
}

TEST_F(FaultTest, a_partial_page_lowers_the_request_so_that_the_state_stays_true) {
  rule(R"({"action":"partial-page","limit":3})");
  ews(
      soap("<m:SyncFolderItems><m:SyncFolderId/><m:MaxChangesReturned>512</m:MaxChangesReturned></"
           "m:SyncFolderItems>"));
  EXPECT_THAT(service.requests.back(), HasSubstr("<m:MaxChangesReturned>3</m:MaxChangesReturned>"));
  ews(
      soap("<m:FindItem Traversal=\"Shallow\"><m:ItemShape/><m:IndexedPageItemView MaxEntriesReturned=\"2\" "
           "Offset=\"5\" BasePoint=\"Beginning\"/></m:FindItem>"));
  EXPECT_THAT(service.requests.back(), HasSubstr("MaxEntriesReturned=\"2\""));
  ews(soap("<m:FindItem Traversal=\"Shallow\"><m:ItemShape/><m:ParentFolderIds/></m:FindItem>"));
  EXPECT_THAT(service.requests.back(), HasSubstr("<m:IndexedPageItemView MaxEntriesReturned=\"3\""));
  ews(soap(get_item()));
  EXPECT_EQ(service.requests.back(), soap(get_item())) << "no pages, untouched";
}

}  // namespace
}  // namespace exchange_sim::testing
