// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/views/change_feed.hpp"

#include <fmt/format.h>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "service/views/json_octets.hpp"

namespace syncline::service {
namespace {

constexpr std::string_view version_mark = "f1.";
/// A page of a filtered feed ends after so many, even if nothing was found.
constexpr int most_looked_at = 2000;
constexpr int looked_at_at_once = 500;

bool fits(const model::Record& record, const FeedQuery& query) {
  if (query.kind && record.kind != *query.kind) return false;
  if (query.kinds != 0 && (query.kinds & (1U << static_cast<unsigned>(record.kind))) == 0) return false;
  return !query.owner || record.owner == *query.owner;
}

/// As whoever reads the feed sees it; nullopt: not at all.
Result<std::optional<model::Record>> wanted_record(store::Transaction& transaction, model::RecordId id,
                                                   const FeedQuery& query) {
  auto record = store::find_record(transaction, id, true);
  if (!record || !*record) return record;
  if (!fits(**record, query)) return std::nullopt;
  if (!query.reader) return record;
  return as_seen_by(transaction, *query.reader, std::move(**record));
}

}  // namespace

std::string feed_token(std::string_view organisation_id, std::int64_t change) {
  return base64url_encode(fmt::format("{}{}.{}", version_mark, organisation_id.substr(0, 8), change));
}

Result<std::int64_t> parse_feed_token(std::string_view organisation_id, std::string_view token) {
  const auto bad = [] {
    return fail(ErrorDomain::input, "bad-feed-token", "This token is not of this organisation's feed");
  };
  if (token.size() > 100) return bad();
  std::string text(token);
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  text.append((4 - text.size() % 4) % 4, '=');
  auto decoded = base64_decode(text);
  const std::string begin = fmt::format("{}{}.", version_mark, organisation_id.substr(0, 8));
  if (!decoded || !decoded->starts_with(begin)) return bad();
  const auto change = text::parse_int(std::string_view(*decoded).substr(begin.size()));
  if (!change || *change < 0) return bad();
  return *change;
}

Result<FeedPage> read_feed(store::Transaction& transaction, const FeedQuery& query) {
  auto last = store::last_change(transaction);
  if (!last) return fail(std::move(last.error()));
  if (query.after > *last)
    return fail(
        ErrorDomain::input, "feed-reset",
        "This place is beyond the end of the feed: the store was put back to an older state. Begin anew");
  std::map<store::MailboxId, std::string> addresses;
  FeedPage page;
  page.end = query.after;
  int looked_at = 0;
  std::size_t octets = 0;
  bool is_full = false;
  while (!is_full && page.end < *last && static_cast<int>(page.changes.size()) < query.most &&
         looked_at < most_looked_at) {
    const int left = query.most - static_cast<int>(page.changes.size());
    auto changes = store::changes_since(transaction, page.end, std::min(left, looked_at_at_once));
    if (!changes) return fail(std::move(changes.error()));
    if (changes->empty()) break;
    for (const store::RecordChange& change : *changes) {
      auto record = wanted_record(transaction, change.id, query);
      if (!record) return fail(std::move(record.error()));
      if (*record) {
        auto object = query.reader ? record_to_json(transaction, **record, *query.reader)
                                   : record_to_json(transaction, **record, addresses);
        if (!object) return fail(std::move(object.error()));
        octets += octets_of(*object);
        is_full = octets > query.most_octets && !page.changes.empty();
        if (is_full) break;
        page.changes.push_back({change.sequence, std::move(*object)});
      }
      page.end = change.sequence;
      ++looked_at;
    }
  }
  page.has_more = page.end < *last;
  return page;
}

}  // namespace syncline::service
