// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A driver of anna's mailbox on the test Exchange.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "ews/driver/ews_driver.hpp"
#include "model/field_catalogue.hpp"
#include "tests/fake/ews_client_sim/exchange_fixture.hpp"

namespace syncline::ews {

namespace json = boost::json;

}  // namespace syncline::ews

namespace syncline::ews::testing {

class MemorySink final : public sync::ContentSink {
 public:
  Result<void> write(std::span<const std::byte> octets) override {
    text.append(reinterpret_cast<const char*>(octets.data()), octets.size());
    return {};
  }
  std::string text;
};

class DriverFixture : public ExchangeFixture {
 protected:
  explicit DriverFixture(exchange_sim::SiteLimits limits = {}) : ExchangeFixture(limits) {}

  sync::RemoteFolder folder(std::string_view name) {
    auto folders = run(driver_.folders());
    EXPECT_TRUE(folders) << folders.error().describe();
    for (sync::RemoteFolder& one : *folders)
      if (text_of_role(one) == name || one.name == name) return one;
    ADD_FAILURE() << "no folder " << name;
    return {};
  }
  static std::string text_of_role(const sync::RemoteFolder& folder) {
    return std::string(folder_name(folder.role));
  }

  std::string add(std::string_view folder, std::string_view xml) {
    auto id = service_.add_item(anna, folder, xml);
    EXPECT_TRUE(id) << id.error().describe();
    return id ? *id : std::string();
  }

  /// One item, which must be readable; every field is in the shape that the catalogue asks for.
  sync::RemoteItem read(model::RecordKind kind, const std::string& id, bool with_body = true) {
    std::vector<std::string> ids{id};
    auto items = run(driver_.read(kind, ids, with_body));
    if (!items || items->size() != 1 || !items->front()) {
      ADD_FAILURE() << (items ? items->front().error().describe() : items.error().describe());
      return {};
    }
    sync::RemoteItem item = std::move(*items->front());
    for (const auto& [key, value] : item.fields) {
      const model::FieldInfo* info = model::find_field(kind, key);
      if (info == nullptr) {
        ADD_FAILURE() << "no such field: " << std::string_view(key);
        continue;
      }
      const auto canonical = model::canonical(*info, value);
      EXPECT_TRUE(canonical) << canonical.error().describe();
      if (canonical) {
        EXPECT_EQ(*canonical, value) << std::string_view(key);
      }
    }
    return item;
  }
  Error read_error(model::RecordKind kind, const std::string& id) {
    std::vector<std::string> ids{id};
    auto items = run(driver_.read(kind, ids, true));
    if (!items || items->size() != 1 || items->front()) {
      ADD_FAILURE() << "an error was expected";
      return {};
    }
    return items->front().error();
  }

  /// Every page of a feed, from a cursor, which is moved to the end.
  std::vector<sync::FeedEntry> pull_all(const sync::RemoteFolder& from, std::string& cursor) {
    std::vector<sync::FeedEntry> entries;
    for (;;) {
      auto page = run(driver_.pull(from, cursor));
      EXPECT_TRUE(page) << page.error().describe();
      if (!page) return entries;
      entries.insert(entries.end(), page->entries.begin(), page->entries.end());
      cursor = page->cursor;
      if (page->last) return entries;
    }
  }

  std::size_t requests(const std::string& operation) { return exchange_.requests(operation); }

  EwsDriver driver_{client_, {.mailbox = anna, .time_zone = "Europe/Berlin"}};
};

/// A field as JSON text; "absent" if there is none.
inline std::string at(const model::Fields& fields, std::string_view name) {
  const json::value* value = fields.if_contains(name);
  return value == nullptr ? "absent" : json::serialize(*value);
}
/// JSON text as serialize writes it.
inline std::string as_json(std::string_view text) {
  return json::serialize(json::parse(text));
}

}  // namespace syncline::ews::testing
