// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// The changes of records, in their order, for programs that follow them: over the HTTP API and by webhook.
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/organisation/record_access.hpp"
#include "store/records.hpp"

namespace syncline::service {

/// A place in the feed as programs keep it: opaque text, good for this organisation's store alone.
std::string feed_token(std::string_view organisation_id, std::int64_t change);
/// Error (input): "bad-feed-token" for what was not given by this organisation.
Result<std::int64_t> parse_feed_token(std::string_view organisation_id, std::string_view token);

struct FeedQuery {
  std::int64_t after = 0;  ///< changes above this
  std::optional<model::RecordKind> kind = std::nullopt;
  std::uint32_t kinds = 0;  ///< a bit for each kind; 0: all
  std::optional<std::string> owner = std::nullopt;
  std::optional<store::Reader> reader = std::nullopt;  ///< what this person may see, as it may be seen
  int most = 100;                                      ///< changes in a page
  /// Of the records in a page, as text; a record that is larger comes alone.
  std::size_t most_octets = record_page_octets;
};

struct FeedChange {
  std::int64_t change = 0;
  boost::json::object record;  ///< as record_to_json makes it, "deleted" ones too
};

struct FeedPage {
  std::vector<FeedChange> changes;
  std::int64_t end = 0;  ///< everything up to here was looked at
  bool has_more = false;
};

/// One consistent view. Numbers are given within write transactions, of which there is one at a time: what
/// is above `end` was committed after this view, so nothing below it can still come. A record that changed
/// several times stands there once, at its latest change. Error (input) "feed-reset": `after` is above all
/// changes there are; the store was put back to an older state.
Result<FeedPage> read_feed(store::Transaction& transaction, const FeedQuery& query);

}  // namespace syncline::service
