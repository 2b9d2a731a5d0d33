// SPDX-License-Identifier: GPL-3.0-or-later
#include <gmock/gmock.h>

#include <set>

#include "ews/client/items.hpp"
#include "scripted_exchange.hpp"

namespace syncline::ews {
namespace {

using namespace std::chrono_literals;
using testing::error_message;
using testing::item_ids_in;
using testing::item_message;
using testing::reply_of;
using testing::ScriptedReply;

class ItemReading : public testing::ScriptedExchange {
 protected:
  std::vector<Result<Item>> read(std::size_t count, ReadPolicy policy = {}) {
    std::vector<ItemRef> ids;
    for (std::size_t i = 0; i < count; ++i) ids.emplace_back(ItemId{.id = "id" + std::to_string(i)});
    ItemReader reader(client_, policy);
    return world_.run(reader.get(std::move(ids), {})).value();
  }

  // Answers each id by `of`, in order.
  void answer_each(std::function<std::string(const std::string&)> of) {
    answer_ = [of = std::move(of)](const std::string& request) {
      std::string messages;
      for (const std::string& id : item_ids_in(request)) messages += of(id);
      return ScriptedReply{.body = reply_of("GetItem", messages)};
    };
  }
};

// R-03
TEST_F(ItemReading, AnErrorInElementKAffectsOnlyK) {
  answer_each([](const std::string& id) {
    return id == "id3" ? error_message("GetItem", "ErrorItemNotFound") : item_message(id);
  });
  const auto items = read(25);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i == 3) {
      ASSERT_FALSE(items[i]);
      EXPECT_EQ(items[i].error().code, "ErrorItemNotFound");
    } else {
      ASSERT_TRUE(items[i]) << i;
      EXPECT_EQ(items[i]->item_id->id, "id" + std::to_string(i));
    }
  }
}

TEST_F(ItemReading, AStoppedBatchIsAskedForAgainFromWhereItStopped) {
  answer_ = [](const std::string& request) {
    std::string messages;
    std::size_t n = 0;
    for (const std::string& id : item_ids_in(request))
      messages += n++ < 4 ? item_message(id) : error_message("GetItem", "ErrorBatchProcessingStopped");
    return ScriptedReply{.body = reply_of("GetItem", messages)};
  };
  const auto items = read(30);
  for (const auto& item : items) EXPECT_TRUE(item) << item.error().describe();
}

TEST_F(ItemReading, AServerThatStopsEveryBatchIsNotAskedForEver) {
  answer_each([](const std::string&) { return error_message("GetItem", "ErrorBatchProcessingStopped"); });
  const auto items = read(12);
  for (const auto& item : items) EXPECT_FALSE(item);
  EXPECT_LT(seen_.size(), 200u);
}

TEST_F(ItemReading, OneItemThatSpoilsTheReplyIsPutAsideAndTheRestIsRead) {
  answer_ = [](const std::string& request) {
    std::string messages;
    for (const std::string& id : item_ids_in(request))
      messages += item_message(id, id == "id7" ? "<t:Subject>" : "");
    return ScriptedReply{.body = reply_of("GetItem", messages)};
  };
  const auto items = read(20);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i != 7) {
      EXPECT_TRUE(items[i]) << i << ": " << items[i].error().describe();
    } else {
      ASSERT_FALSE(items[i]);
      EXPECT_EQ(items[i].error().retry, RetryClass::quarantine);
    }
  }
}

TEST_F(ItemReading, AReplyWithTooFewMessagesIsNotTakenForAnAnswer) {
  std::size_t calls = 0;
  answer_ = [&](const std::string& request) {
    std::string messages;
    for (const std::string& id : item_ids_in(request)) messages += item_message(id);
    return ScriptedReply{.body = reply_of("GetItem", calls++ == 0 ? item_message("id0") : messages)};
  };
  for (const auto& item : read(5)) EXPECT_TRUE(item);
}

TEST_F(ItemReading, RefusedCredentialsEndTheReadingAtOnce) {
  answer_ = [](const std::string&) { return ScriptedReply{.status = 401}; };
  const auto items = read(50);
  for (const auto& item : items) {
    ASSERT_FALSE(item);
    EXPECT_EQ(item.error().retry, RetryClass::reauthenticate);
  }
  EXPECT_EQ(seen_.size(), 1u);
}

TEST_F(ItemReading, TheBatchFollowsTheServersPace) {
  std::set<std::size_t> sizes;
  answer_ = [&](const std::string& request) {
    const auto ids = item_ids_in(request);
    sizes.insert(ids.size());
    delay_ = 50ms * static_cast<long>(ids.size());
    std::string messages;
    for (const std::string& id : ids) messages += item_message(id);
    return ScriptedReply{.body = reply_of("GetItem", messages)};
  };
  const auto items = read(2000);
  for (const auto& item : items) ASSERT_TRUE(item);
  EXPECT_GE(*sizes.rbegin(), 100u);
  EXPECT_LE(*sizes.rbegin(), 200u);
}

TEST_F(ItemReading, TransientTroubleIsTriedAgainLater) {
  unsigned calls = 0;
  answer_ = [&](const std::string& request) {
    if (calls++ < 3) return ScriptedReply{.status = 502};
    std::string messages;
    for (const std::string& id : item_ids_in(request)) messages += item_message(id);
    return ScriptedReply{.body = reply_of("GetItem", messages)};
  };
  for (const auto& item : read(10)) EXPECT_TRUE(item);
  EXPECT_GT(world_.elapsed(), 1s);
}

class Finding : public testing::ScriptedExchange {
 protected:
  // A folder of `total` items whose pages are as long as `page` says.
  void serve(std::size_t total, std::function<std::size_t()> page) {
    answer_ = [total, page = std::move(page)](const std::string& request) {
      static const std::regex offset_text(R"rx(Offset="(\d+)")rx");
      std::smatch match;
      std::regex_search(request, match, offset_text);
      const std::size_t offset = std::stoul(match[1]);
      const std::size_t end = std::min(total, offset + page());
      std::string items;
      for (std::size_t i = offset; i < end; ++i)
        items += R"(<t:Message><t:ItemId Id="id)" + std::to_string(i) + R"(" ChangeKey="K"/></t:Message>)";
      return ScriptedReply{
          .body = reply_of(
              "FindItem",
              R"(<m:FindItemResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>)"
              R"(<m:RootFolder IndexedPagingOffset=")" +
                  std::to_string(end) + R"(" TotalItemsInView=")" + std::to_string(total) +
                  R"(" IncludesLastItemInRange=")" + (end == total ? "true" : "false") + R"("><t:Items>)" +
                  items + "</t:Items></m:RootFolder></m:FindItemResponseMessage>")};
    };
  }

  Result<std::set<std::string>> find_all() {
    std::set<std::string> ids;
    FindItemRequest request{.parents = {DistinguishedFolderId{.name = "inbox"}}};
    auto found =
        world_.run(find_items(client_, std::move(request), [&](std::vector<Item> page) -> Result<void> {
          for (const Item& item : page) ids.insert(item.item_id->id);
          return {};
        }));
    if (!found) return fail(found.error());
    return ids;
  }
};

// R-10
TEST_F(Finding, SeesAllItemsWhateverThePageSize) {
  SeededRandom random(3);
  const std::function<std::size_t()> pages[] = {[] { return 1000; }, [] { return 250; },
                                                [&] { return static_cast<std::size_t>(random.below(400)); }};
  for (const auto& page : pages) {
    serve(2345, page);
    EXPECT_EQ(find_all().value().size(), 2345u);
  }
}

TEST_F(Finding, PagesWithoutEndAreAnError) {
  serve(10, [] { return 0; });
  const auto found = find_all();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, "paging-stuck");
  EXPECT_LT(seen_.size(), 10u);
}

}  // namespace
}  // namespace syncline::ews
