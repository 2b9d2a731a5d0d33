// SPDX-License-Identifier: GPL-3.0-or-later
// R-16 over IMAP, POP3 and SMTP: connections end after any octet of what the servers say and of what they are
// told. The engine goes on, and all ends as if nothing had happened: one record, one message, one copy.
// Samples here; every octet with SYNCLINE_FULL=1.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <tuple>

#include "scenarios.hpp"

namespace syncline::sync::testing {
namespace {

/// In CI: of each reply to a write, and of everything else that is said in a step.
constexpr std::uint64_t samples_of_a_write = 2;
constexpr std::uint64_t samples_of_the_rest = 1;

bool is_write(const Said& said) {
  if (said.port == MailWorld::smtp_port)
    return said.to == "\r\n.\r\n" || (said.to.starts_with("BDAT ") && said.to.ends_with(" LAST"));
  if (said.port == MailWorld::pop3_port) return said.to.starts_with("DELE ") || said.to == "QUIT";
  for (const char* verb : {"APPEND", "CREATE", "UID STORE", "UID MOVE", "UID COPY", "UID EXPUNGE"})
    if (said.to.starts_with(verb)) return true;
  return false;
}

/// Connection, octets of it.
using Places = std::set<std::tuple<std::uint16_t, std::size_t, std::uint64_t>>;

Places places_in(const std::vector<Said>& all, bool of_writes, SeededRandom& random) {
  Places places;
  std::vector<const Said*> chosen;
  std::uint64_t octets = 0;
  for (const Said& one : all)
    if (is_write(one) == of_writes && one.end > one.begin) {
      chosen.push_back(&one);
      octets += one.end - one.begin;
    }
  if (is_full()) {
    for (const Said* one : chosen)
      for (std::uint64_t at = one->begin; at < one->end; ++at) places.emplace(one->port, one->connection, at);
    return places;
  }
  if (of_writes) {
    // The same command over and over says nothing new: the first and the last one of each kind.
    std::map<std::pair<std::uint16_t, std::string>, std::vector<const Said*>> by_verb;
    for (const Said* one : chosen)
      by_verb[{one->port, one->to.substr(0, one->to.find_first_of("0123456789\""))}].push_back(one);
    for (const auto& [_, replies] : by_verb)
      for (const Said* one : {replies.front(), replies.back()}) {
        places.emplace(one->port, one->connection, one->begin);
        for (std::uint64_t i = 1; i < samples_of_a_write; ++i)
          places.emplace(one->port, one->connection, one->begin + random.below(one->end - one->begin));
      }
    return places;
  }
  for (std::uint64_t i = 0; i < samples_of_the_rest && octets > 0; ++i) {
    std::uint64_t nth = random.below(octets);
    for (const Said* one : chosen) {
      const std::uint64_t length = one->end - one->begin;
      if (nth < length) {
        places.emplace(one->port, one->connection, one->begin + nth);
        break;
      }
      nth -= length;
    }
  }
  return places;
}

class CutReply : public ::testing::TestWithParam<std::size_t> {
 protected:
  const Scenario& scenario() const { return scenarios()[GetParam()]; }

  /// Everything that is said in the run after step `step`.
  std::vector<Said> said_in(std::size_t step) {
    std::vector<Said> all;
    play(scenario(), {.step = step,
                      .before = [](MailWorld& server, MailOrganisation&) { server.forget(); },
                      .after = [&](MailWorld& server, MailOrganisation&) { all = server.said(); }});
    return all;
  }
  void cut_at(std::size_t step, const Outcome& unbroken, const Cut& cut) {
    SCOPED_TRACE(std::string(scenario().name) + ", step " + std::to_string(step) + ", port " +
                 std::to_string(cut.port) + ", connection " + std::to_string(cut.connection) + ", " +
                 (cut.of_requests ? "what it is told" : "what it says") + " cut after " +
                 std::to_string(cut.octets) + " octets");
    bool was_cut = false;
    const Outcome broken = play(
        scenario(), {.step = step,
                     .before = [&](MailWorld& server, MailOrganisation&) { server.cut(cut); },
                     .after = [&](MailWorld& server, MailOrganisation&) { was_cut = server.was_cut(); }});
    EXPECT_TRUE(was_cut);
    expect_same(scenario(), unbroken, broken);
    ++cuts_;
  }
  void cut_replies(bool of_writes) {
    const Outcome unbroken = play(scenario());
    ASSERT_FALSE(unbroken.records.empty());
    SeededRandom random(GetParam() + 7);
    for (std::size_t step = 0; step < scenario().steps.size(); ++step) {
      const std::vector<Said> all = said_in(step);
      ASSERT_FALSE(all.empty());
      for (const auto& [port, connection, octets] : places_in(all, of_writes, random)) {
        cut_at(step, unbroken, {.port = port, .connection = connection, .octets = octets});
        if (HasFailure()) return;
      }
    }
    if (is_full()) std::printf("%s: cut %zu times\n", scenario().name, cuts_);
  }

  std::size_t cuts_ = 0;
};

TEST_P(CutReply, R16OverMailHostsWhereverAReplyToAWriteIsCutItIsDoneOnce) {
  cut_replies(true);
}

TEST_P(CutReply, R16OverMailHostsWhereverAnyOtherReplyIsCutNothingIsLostOrDoubled) {
  cut_replies(false);
}

TEST_P(CutReply, R16OverMailHostsWhereverARequestIsCutNothingIsLostOrDoubled) {
  const Outcome unbroken = play(scenario());
  SeededRandom random(GetParam() + 11);
  for (std::size_t step = 0; step < scenario().steps.size(); ++step) {
    MailWorld::Heard heard;
    play(scenario(), {.step = step,
                      .before = [](MailWorld& server, MailOrganisation&) { server.forget(); },
                      .after = [&](MailWorld& server, MailOrganisation&) { heard = server.heard(); }});
    ASSERT_FALSE(heard.empty());
    for (const auto& [connection, length] : heard)
      for (std::uint64_t n = 0; n < (is_full() ? length : std::min(samples_of_the_rest, length)); ++n) {
        const std::uint64_t octets = is_full() ? n : random.below(length);
        cut_at(step, unbroken,
               {.port = connection.first,
                .connection = connection.second,
                .octets = octets,
                .of_requests = true});
        if (HasFailure()) return;
      }
  }
  if (is_full()) std::printf("%s: cut %zu times\n", scenario().name, cuts_);
}

INSTANTIATE_TEST_SUITE_P(Scenarios, CutReply, ::testing::Range(std::size_t{0}, scenarios().size()),
                         [](const auto& parameter) { return test_name(scenarios()[parameter.param]); });

}  // namespace
}  // namespace syncline::sync::testing
