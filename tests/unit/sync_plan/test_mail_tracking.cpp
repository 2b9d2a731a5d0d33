// SPDX-License-Identifier: GPL-3.0-or-later
// Threads, filters and the identity of messages (invariants 14 and 18).
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <string>
#include <vector>

#include "base/base64.hpp"
#include "base/random.hpp"
#include "sync/plan/mail_tracking.hpp"

namespace syncline::sync::plan {
namespace {

namespace json = boost::json;
using model::Fields;
using model::MailFilter;
using Ids = std::vector<std::string>;

Fields fields(std::string_view text) {
  return json::parse(text).as_object();
}

TEST(ThreadKeysOrder, InReplyToComesFirstThenTheLatestReferenceAndEachOnce) {
  const ThreadKeys keys =
      thread_keys(fields(R"({"inReplyTo":"<b@x> <b@x>","references":"<a@x>\n\t<b@x>\n <c@x>"})"), "SYN");
  EXPECT_EQ(keys.message_ids, (Ids{"<b@x>", "<c@x>", "<a@x>"}));
  EXPECT_EQ(keys.token, "");
  EXPECT_EQ(keys.conversation, "");
}

TEST(ThreadKeysOrder, OfALongThreadTheLatestHundredReferencesCount) {
  std::string references;
  for (int i = 0; i < 250; ++i) references += "<" + std::to_string(i) + "@x> ";
  const ThreadKeys keys = thread_keys({{"references", references}}, "SYN");
  ASSERT_EQ(keys.message_ids.size(), 100U);
  EXPECT_EQ(keys.message_ids.front(), "<249@x>");
  EXPECT_EQ(keys.message_ids.back(), "<150@x>");
}

TEST(ThreadKeysOrder, TokenAndConversationStandBesideTheIds) {
  const std::string index(30, 'i');
  const ThreadKeys keys = thread_keys(
      {{"subject", "Re: offer SYN:0000042"}, {"conversationIndex", base64_encode(std::string_view(index))}},
      "SYN");
  EXPECT_EQ(keys.token, "SYN:0000042");
  EXPECT_EQ(keys.conversation, base64_encode(std::string_view(index).substr(0, 22)));
}

TEST(ThreadKeysOrder, FieldsOfTheWrongShapeAreNoKeys) {
  const ThreadKeys keys = thread_keys(
      fields(R"({"inReplyTo":1,"references":["<a@x>"],"subject":null,"conversationIndex":{}})"), "SYN");
  EXPECT_TRUE(keys.message_ids.empty());
}

TEST(MessageIds, AreReadFromBrokenHeaders) {
  EXPECT_EQ(message_ids_in("<a@x><b@x>"), (Ids{"<a@x>", "<b@x>"}));
  EXPECT_EQ(message_ids_in("Your message of Monday <a@x> \"and\" <b@x"), (Ids{"<a@x>"}));
  EXPECT_EQ(message_ids_in("<<a@x>>"), (Ids{"<a@x>"}));
  EXPECT_EQ(message_ids_in("<> < <>"), Ids{});
  EXPECT_EQ(message_ids_in(">a@x<"), Ids{});
  EXPECT_EQ(message_ids_in(""), Ids{});
  EXPECT_EQ(message_ids_in("<" + std::string(997, 'a') + ">"), Ids{});
  EXPECT_EQ(message_ids_in("<" + std::string(996, 'a') + ">").size(), 1U);
}

TEST(MessageIds, RandomOctetsGiveOnlyWhatStandsInBrackets) {
  SeededRandom random(11);
  constexpr std::string_view alphabet = "<>@ab \t\n\"\\()\0\xff";
  for (int i = 0; i < 5'000; ++i) {
    std::string header;
    for (std::uint64_t left = random.below(60); left > 0; --left)
      header += alphabet[random.below(alphabet.size())];
    for (const std::string& id : message_ids_in(header)) {
      ASSERT_GE(id.size(), 3U);
      ASSERT_EQ(id.front(), '<');
      ASSERT_EQ(id.find_first_of("<>", 1), id.size() - 1);
      ASSERT_NE(header.find(id), std::string::npos);
    }
    static_cast<void>(thread_keys({{"subject", header}, {"conversationIndex", header}}, "<"));
  }
}

TEST(MessageIds, AHeaderOfMegaoctetsIsReadInOnePass) {
  EXPECT_EQ(message_ids_in(std::string(std::size_t{4} << 20, '<')), Ids{});
  std::string many;
  for (int i = 0; i < 200'000; ++i) many += "<a@x>";
  EXPECT_EQ(message_ids_in(many).size(), 100U);
}

TEST(Token, IsFoundAgainWhereverItStands) {
  for (const model::RecordId id :
       {model::RecordId{1}, model::RecordId{42}, model::RecordId{12'345'678'901}}) {
    const std::string token = token_of("SYN", id);
    EXPECT_EQ(token_in("Re: offer " + token, "SYN"), token);
    EXPECT_EQ(token_in(token + " offer", "SYN"), token);
    EXPECT_EQ(token_in("offer (" + token + ")", "SYN"), token);
  }
  EXPECT_EQ(token_of("SYN", 42), "SYN:0000042");
}

TEST(Token, IsNoPartOfALongerWordOrNumber) {
  EXPECT_EQ(token_in("ASYN:0000042", "SYN"), "");
  EXPECT_EQ(token_in("SYN:0000042b", "SYN"), "");
  EXPECT_EQ(token_in("SYN:42", "SYN"), "");
  EXPECT_EQ(token_in("SYN:0000000000000000042", "SYN"), "");
  EXPECT_EQ(token_in("CRM:0000042", "SYN"), "");
  EXPECT_EQ(token_in("SYN:12 SYN:0000042", "SYN"), "SYN:0000042");
  EXPECT_EQ(token_in(":0000042", ""), "");
}

TEST(ConversationKey, IsTheFirst22OctetsAndNothingIfThereAreFewer) {
  const std::string root(22, 'a');
  const std::string reply = root + "bbbbb";
  EXPECT_EQ(conversation_key(base64_encode(std::string_view(reply))),
            conversation_key(base64_encode(std::string_view(root))));
  EXPECT_NE(conversation_key(base64_encode(std::string_view(root))), "");
  EXPECT_EQ(conversation_key(base64_encode(std::string_view(root).substr(1))), "");
  EXPECT_EQ(conversation_key("!!"), "");
  EXPECT_EQ(conversation_key(""), "");
}

struct Decision {
  MailFacts facts;
  MailFilter filter;
  bool track;
  std::string_view reason;
};

TEST(TrackingDecisions, EachHasItsReason) {
  using enum MailFilter;
  const MailFacts reply{.correlated = true, .correlated_by = "token"};
  const MailFacts sent_reply{.folder = MailFolder::sent, .correlated = true, .correlated_by = "in-reply-to"};
  const Decision decisions[] = {
      {{}, all, true, "filter-all"},
      {{}, replies, false, "no-correlation"},
      {reply, replies, true, "token"},
      {reply, known_contacts, true, "token"},
      {reply, none, false, "filter-none"},
      {{}, known_contacts, false, "no-known-contact"},
      {{.known_contact = true}, known_contacts, true, "known-contact"},
      {{.known_record = true}, known_contacts, false, "no-known-contact"},
      {{.known_contact = true}, known_records, true, "known-contact"},
      {{.known_record = true}, known_records, true, "known-record"},
      {{}, known_records, false, "no-known-record"},
      {{.draft = true}, all, false, "draft"},
      {{.before_start = true}, all, false, "before-start-date"},
      {sent_reply, all, true, "in-reply-to"},
      {{.folder = MailFolder::sent}, all, false, "no-correlation"},
  };
  for (const Decision& one : decisions) {
    const TrackingDecision made = decide_tracking(one.facts, {.track = one.filter});
    EXPECT_EQ(made.track, one.track) << one.reason;
    EXPECT_EQ(made.reason, one.reason);
  }
}

TEST(TrackingDecisions, SentItemsCanBeSwitchedOff) {
  const MailFacts sent_reply{.folder = MailFolder::sent, .correlated = true, .correlated_by = "token"};
  const TrackingDecision made = decide_tracking(sent_reply, {.track_sent = false});
  EXPECT_FALSE(made.track);
  EXPECT_EQ(made.reason, "sent-items-off");
}

TEST(Invariant18, OurOwnAutomaticMailIsNeverTracked) {
  const MailFacts ours{.correlated = true,
                       .correlated_by = "token",
                       .known_contact = true,
                       .automatic_of_ours = true,
                       .own_copy = true};
  for (const MailFilter filter : {MailFilter::all, MailFilter::replies, MailFilter::none}) {
    const TrackingDecision made = decide_tracking(ours, {.track = filter});
    EXPECT_FALSE(made.track);
    EXPECT_EQ(made.reason, "own-automatic-mail");
  }
}

TEST(Invariant17, TheCopyOfASentMessageIsLinkedWhateverTheFilter) {
  EXPECT_TRUE(
      decide_tracking({.folder = MailFolder::sent, .own_copy = true}, {.track = MailFilter::none}).track);
}

Fields message(std::string_view from, std::string_view sent, std::string_view type, std::string_view text) {
  return {{"internetMessageId", "<same@x>"},
          {"from", {{"emailAddress", from}}},
          {"dateTimeSent", sent},
          {"body", {{"type", type}, {"value", text}}}};
}

TEST(Invariant14, CopiesOfOneMessageHaveOneFingerprint) {
  const std::string one = fingerprint(message("a@x", "2026-11-22T10:00:00Z", "text", "Hello you"));
  EXPECT_EQ(one, fingerprint(message("A@X", "2026-11-22T10:00:00Z", "html", "<p>Hello <b>you</b></p>")));
  EXPECT_EQ(one, fingerprint(message("a@x", "2026-11-22T10:00:00Z", "text", "Hello\n  you\n")));
}

TEST(Invariant14, AnEqualMessageIdWithAnotherTextSenderOrDateIsAnotherMessage) {
  const std::string one = fingerprint(message("a@x", "2026-11-22T10:00:00Z", "text", "pay 10"));
  EXPECT_NE(one, fingerprint(message("a@x", "2026-11-22T10:00:00Z", "text", "pay 1000")));
  EXPECT_NE(one, fingerprint(message("b@x", "2026-11-22T10:00:00Z", "text", "pay 10")));
  EXPECT_NE(one, fingerprint(message("a@x", "2026-11-22T10:00:01Z", "text", "pay 10")));
  EXPECT_NE(fingerprint(message("a@x", "2026-11-22T10:00:00Z", "text", "see <https://good.example>")),
            fingerprint(message("a@x", "2026-11-22T10:00:00Z", "text", "see <https://bad.example>")));
}

TEST(Invariant14, TheFingerprintOfAMessageWithoutItsPartsIsStillOne) {
  EXPECT_EQ(fingerprint({}).size(), 44U);
  EXPECT_EQ(fingerprint({}), fingerprint(fields(R"({"from":1,"dateTimeSent":null,"body":"x"})")));
}

}  // namespace
}  // namespace syncline::sync::plan
