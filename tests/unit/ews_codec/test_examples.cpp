// SPDX-License-Identifier: GPL-3.0-or-later
// Recorded and documented replies, where they are at hand: codes and counts.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include "ews/codec/codec.hpp"

namespace syncline::ews {
namespace {

struct Outcome {
  std::vector<std::string> codes = {};
  std::size_t values = 0;  // items, folders, changes, …: what the messages hold
  bool fault = false;
};

template <class T>
std::size_t count(const std::vector<T>& values) {
  return values.size();
}
template <class T>
std::size_t count(const std::optional<T>& value) {
  return value.has_value();
}
std::size_t count(const Nothing&) {
  return 0;
}
std::size_t count(const FolderPage& page) {
  return page.folders.size();
}
std::size_t count(const ItemPage& page) {
  return page.items.size();
}
std::size_t count(const FolderFeed& feed) {
  return feed.changes.size();
}
std::size_t count(const ItemFeed& feed) {
  return feed.changes.size();
}
std::size_t count(const UpdatedItems& updated) {
  return updated.items.size();
}
std::size_t count(const Subscription& subscription) {
  return !subscription.id.empty();
}
std::size_t count(const Notification& notification) {
  return notification.events.size();
}
std::size_t count(const Resolutions& resolutions) {
  return resolutions.entries.size();
}
std::size_t count(const StreamingEvents& events) {
  std::size_t sum = 0;
  for (const auto& notification : events.notifications) sum += notification.events.size();
  return sum;
}

template <class Request>
Outcome read(const std::string& xml) {
  Outcome outcome;
  const auto reply = codec::decode<Request>(xml);
  if (!reply) {
    outcome.fault = true;
    outcome.codes.push_back(reply.error().code);
    return outcome;
  }
  for (const auto& message : reply->messages) {
    outcome.codes.push_back(message.code);
    outcome.values += count(message.value);
  }
  return outcome;
}

const std::map<std::string, std::function<Outcome(const std::string&)>> readers{
    {"SyncFolderHierarchy", read<SyncFolderHierarchyRequest>},
    {"SyncFolderItems", read<SyncFolderItemsRequest>},
    {"GetItem", read<GetItemRequest>},
    {"CreateItem", read<CreateItemRequest>},
    {"UpdateItem", read<UpdateItemRequest>},
    {"DeleteItem", read<DeleteItemRequest>},
    {"SendItem", read<SendItemRequest>},
    {"MoveItem", read<MoveItemRequest>},
    {"FindItem", read<FindItemRequest>},
    {"FindFolder", read<FindFolderRequest>},
    {"GetFolder", read<GetFolderRequest>},
    {"CreateFolder", read<CreateFolderRequest>},
    {"Subscribe", read<SubscribeRequest>},
    {"GetStreamingEvents", read<GetStreamingEventsRequest>},
    {"GetEvents", read<GetEventsRequest>},
    {"Unsubscribe", read<UnsubscribeRequest>},
    {"GetAttachment", read<GetAttachmentRequest>},
    {"CreateAttachment", read<CreateAttachmentRequest>},
    {"DeleteAttachment", read<DeleteAttachmentRequest>},
    {"ResolveNames", read<ResolveNamesRequest>},
    {"GetServerTimeZones", read<GetServerTimeZonesRequest>},
    {"Fault", read<GetItemRequest>},
};

std::size_t occurrences(const std::string& text, const std::string& word) {
  std::size_t sum = 0;
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++sum;
  return sum;
}

TEST(Examples, EveryReplyOfOurOperationsIsReadWithItsCodesAndValues) {
  const std::filesystem::path folder = SYNCLINE_SOURCE_DIR "/../shared/reference/ews/examples";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "SKIPPED: no examples beside the source tree";
  std::size_t read_files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (name.find("-response") == std::string::npos) continue;
    const auto operation = name.substr(3, name.find('-', 3) - 3);
    const auto reader = readers.find(operation);
    if (reader == readers.end()) continue;
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const auto xml = text.str();
    const auto outcome = reader->second(xml);
    ++read_files;
    SCOPED_TRACE(name);
    if (operation == "Fault") {
      EXPECT_TRUE(outcome.fault);
      EXPECT_NE(xml.find(">" + outcome.codes.at(0) + "<"), std::string::npos);
      continue;
    }
    ASSERT_FALSE(outcome.fault) << outcome.codes.at(0);
    // The code of each message, in order, found without a parser.
    EXPECT_EQ(outcome.codes.size(), occurrences(xml, "ResponseClass="));
    std::size_t at = 0;
    for (const auto& code : outcome.codes) {
      at = xml.find("ResponseCode>" + code + "<", at);
      EXPECT_NE(at, std::string::npos) << code;
      ++at;
    }
  }
  EXPECT_GE(read_files, 35u);
}

struct Expected {
  const char* file;
  const char* operation;
  std::size_t values;
};

TEST(Examples, CountsOfSomeRepliesAreThoseAReaderCounts) {
  const std::filesystem::path folder = SYNCLINE_SOURCE_DIR "/../shared/reference/ews/examples";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "SKIPPED: no examples beside the source tree";
  for (const auto& [file, operation, values] : {
           Expected{"05-GetItem-2-response.xml", "GetItem", 1},
           Expected{"03-SyncFolderItems-2-response.xml", "SyncFolderItems", 1},
           Expected{"34-GetAttachment-2-response.xml", "GetAttachment", 1},
           Expected{"36-DeleteAttachment-2-response.xml", "DeleteAttachment", 5},
           Expected{"38-GetServerTimeZones-2-response.xml", "GetServerTimeZones", 1},
           Expected{"24-CreateFolder-3-response.xml", "CreateFolder", 0},
       }) {
    std::stringstream text;
    text << std::ifstream(folder / file).rdbuf();
    EXPECT_EQ(readers.at(operation)(text.str()).values, values) << file;
  }
  std::stringstream text;
  text << std::ifstream(folder / "30-GetStreamingEvents-2-response-body.xml").rdbuf();
  // Its Notification stands in the wrong namespace.
  EXPECT_EQ(readers.at("GetStreamingEvents")(text.str()).values, occurrences(text.str(), "<t:TimeStamp>"));
}

}  // namespace
}  // namespace syncline::ews
