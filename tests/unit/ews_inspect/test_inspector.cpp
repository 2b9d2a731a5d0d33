// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/inspect/inspector.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <iterator>

namespace syncline::ews::inspect {
namespace {

namespace json = boost::json;

std::string data(std::string_view name) {
  std::ifstream file(std::string(SYNCLINE_SOURCE_DIR) + "/tests/data/ews/" + std::string(name),
                     std::ios::binary);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

json::object read(std::string_view text, std::size_t piece = 4096, xml::Limits limits = inspect_limits()) {
  Inspector inspector(limits);
  for (std::size_t at = 0; at < text.size(); at += piece) {
    if (!inspector.feed(text.substr(at, piece))) break;
  }
  return inspector.finish();
}

std::string code_of(const json::object& told) {
  return std::string(told.at("error").at("code").as_string());
}

TEST(Inspector, UnderstandsTheSameWhateverTheCuts) {
  for (const std::string_view name :
       {"get-item-response.xml", "sync-folder-items-response.xml", "streaming-notifications.xml",
        "broken-in-the-middle.xml", "create-item-request.xml", "fault-busy.xml"}) {
    const std::string text = data(name);
    const json::object whole = read(text, text.size());
    for (const std::size_t piece : {1, 2, 3, 7, 64, 301})
      EXPECT_EQ(read(text, piece), whole) << name << ", " << piece;
  }
}

TEST(Inspector, TellsForEveryCutWhatWasCompleteBeforeIt) {
  const std::string text = data("sync-folder-items-response.xml");
  const json::object whole = read(text);
  const json::array& wanted = whole.at("messages").at(0).at("changes").as_array();
  ASSERT_EQ(wanted.size(), 4u);
  const std::size_t end = text.find("</s:Envelope>") + 13;
  std::size_t most = 0;
  for (std::size_t length = 1; length < end; ++length) {
    const json::object told = read(std::string_view(text).substr(0, length));
    ASSERT_EQ(code_of(told), "truncated") << length;
    if (told.at("partial").is_null()) continue;
    const json::object& partial = told.at("partial").as_object();
    ASSERT_EQ(partial.at("operation"), "SyncFolderItems");
    // A change is told as soon as its end tag is there, neither earlier nor later, and is what it is in the
    // whole.
    const std::string_view seen = std::string_view(text).substr(0, length);
    std::size_t complete = 0;
    for (const std::string_view tag : {"</t:Create>", "</t:Update>", "</t:Delete>", "</t:ReadFlagChange>"}) {
      complete += seen.find(tag) != std::string_view::npos ? 1 : 0;
    }
    const json::array& messages = partial.at("messages").as_array();
    ASSERT_EQ(messages.size(), complete == 0 ? 0u : 1u) << length;
    if (messages.empty()) continue;
    const json::array& changes = messages[0].at("changes").as_array();
    ASSERT_EQ(changes.size(), complete) << length;
    ASSERT_TRUE(std::equal(changes.begin(), changes.end(), wanted.begin())) << length;
    ASSERT_EQ(messages[0].at("code"), "NoError");
    most = std::max(most, changes.size());
  }
  EXPECT_EQ(most, 4u);
  EXPECT_FALSE(read(std::string_view(text).substr(0, end)).contains("error"));
}

TEST(Inspector, SaysAtWhichLineTheFaultIs) {
  EXPECT_EQ(read("<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'>\n<s:Body>\n<a></b>")
                .at("error")
                .at("line"),
            3);
}

TEST(Inspector, RefusesWhatIsHostile) {
  const std::string start = "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>";
  std::string deep = start;
  for (int i = 0; i < 200'000; ++i) deep += "<a>";
  EXPECT_EQ(code_of(read(deep)), "too-deep");
  xml::Limits limits = inspect_limits();
  limits.octets = 1000;
  EXPECT_EQ(code_of(read(start + std::string(1000, 'x'), 100, limits)), "too-large");
  limits = inspect_limits();
  limits.elements = 10;
  std::string many = start;
  for (int i = 0; i < 20; ++i) many += "<a/>";
  EXPECT_EQ(code_of(read(many, 100, limits)), "too-large");
  EXPECT_EQ(code_of(read("<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>")), "not-soap");
  EXPECT_EQ(code_of(read("")), "not-xml");
  EXPECT_EQ(code_of(read(std::string_view("\0\x01\x02", 3))), "not-xml");
  EXPECT_EQ(code_of(read("<Envelope xmlns='urn:other'/>")), "not-soap");
}

TEST(Inspector, TakesNoHarmFromElementsInOddPlaces) {
  const std::string start = "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'>";
  for (const std::string_view body :
       {"<s:Body><s:Fault/></s:Body>", "<s:Body><s:Fault><detail>x</detail><faultcode/></s:Fault></s:Body>",
        "<s:Body><Items/></s:Body>", "<s:Body><a ResponseClass='x' ResponseClass2=''/></s:Body>",
        "<s:Body><a><ResponseCode/><ResponseCode>x</ResponseCode></a></s:Body>",
        "<s:Body><a><Recurrence/><Recurrence>x</Recurrence></a></s:Body>", "<s:Body>text</s:Body>", "text",
        "<s:Body><aResponse><b ResponseClass='Success'><Items><c "
        "ResponseClass='Error'><Items>x<d/></Items></c></Items></b>"
        "</aResponse></s:Body>",
        "<s:Body><CreateItem><Items><a><ItemId/><ItemId Id=''/></a>x</Items></CreateItem></s:Body>",
        "<s:Body><a/><bResponse/></s:Body><s:Body/>", "<s:Header/><s:Header><a><b/></a></s:Header>"}) {
    const json::object told = read(start + std::string(body) + "</s:Envelope>");
    EXPECT_FALSE(told.contains("error")) << body;
    EXPECT_TRUE(told.contains("messages")) << body;
  }
}

}  // namespace
}  // namespace syncline::ews::inspect
