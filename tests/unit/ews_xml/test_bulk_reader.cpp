// SPDX-License-Identifier: GPL-3.0-or-later
#include "ews/xml/bulk_reader.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "base/random.hpp"

namespace syncline::ews::xml {
namespace {

constexpr std::string_view space = "http://schemas.microsoft.com/exchange/services/2006/types";

struct Read {
  std::map<std::size_t, std::string> contents;  ///< by number
  std::map<std::size_t, std::string> failures;
  std::vector<ContentPlace> places;
  std::size_t largest_piece = 0;
  std::string envelope;
  std::string error;
};

Read read(std::string_view text, std::size_t piece, BulkLimits limits = {}) {
  Read done;
  BulkReader reader(limits);
  const auto take = [&] {
    for (const ContentEvent& event : reader.events()) {
      switch (event.kind) {
        case ContentEvent::Kind::begin:
          done.places.push_back(event.place);
          done.contents[event.place.number];
          break;
        case ContentEvent::Kind::octets:
          done.contents[event.place.number] += event.octets;
          done.largest_piece = std::max(done.largest_piece, event.octets.size());
          break;
        case ContentEvent::Kind::end:
          EXPECT_EQ(event.size, done.contents[event.place.number].size());
          break;
        case ContentEvent::Kind::failed:
          done.failures[event.place.number] = event.error->code;
          break;
      }
    }
  };
  Result<void> result;
  for (std::size_t at = 0; at < text.size() && result; at += piece) {
    result = reader.feed(text.substr(at, piece));
    take();
  }
  if (result) {
    result = reader.finish();
    take();
  }
  done.error = result ? "" : result.error().code;
  done.envelope = reader.take_envelope();
  return done;
}

std::string response(std::string_view messages) {
  return fmt::format(
      "<?xml version='1.0'?><s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>"
      "<m:GetItemResponse xmlns:m='urn:m' xmlns:t='{}'><m:ResponseMessages>{}</m:ResponseMessages>"
      "</m:GetItemResponse></s:Body></s:Envelope>",
      space, messages);
}

std::string mime_message(std::string_view base64) {
  return fmt::format(
      "<m:GetItemResponseMessage ResponseClass='Success'><m:Items><t:Message><t:MimeContent "
      "CharacterSet='UTF-8'>{}</t:MimeContent><t:ItemId Id='a&amp;b'/><t:Subject>x &lt; &#x1F600;</t:Subject>"
      "</t:Message></m:Items></m:GetItemResponseMessage>",
      base64);
}

TEST(BulkReader, GivesContentByPositionAndAnEnvelopeWithoutIt) {
  const std::string text =
      response(mime_message("SGVsbG8=") + "<m:GetItemResponseMessage ResponseClass='Error'/>" +
               mime_message("d29y\r\nbGQ="));
  for (std::size_t piece = 1; piece <= text.size(); piece += piece < 40 ? 1 : 37) {
    const Read done = read(text, piece);
    ASSERT_EQ(done.error, "");
    ASSERT_EQ(done.contents, (std::map<std::size_t, std::string>{{0, "Hello"}, {1, "world"}})) << piece;
    ASSERT_EQ(done.places, (std::vector<ContentPlace>{{ContentPlace::Kind::mime, 0, 0, 0, 0},
                                                      {ContentPlace::Kind::mime, 2, 0, 0, 1}}));
    ASSERT_EQ(done.envelope.find("SGVs"), std::string::npos);
    ASSERT_NE(done.envelope.find(
                  "<t:MimeContent CharacterSet=\"UTF-8\"></t:MimeContent><t:ItemId Id=\"a&amp;b\"></t:ItemId>"
                  "<t:Subject>x &lt; \xF0\x9F\x98\x80</t:Subject>"),
              std::string::npos)
        << done.envelope;
    ASSERT_EQ(read(done.envelope, 1000).envelope, done.envelope);
  }
}

TEST(BulkReader, FindsTheContentOfAttachmentsAndOfWhatIsInsideThem) {
  const std::string text = response(
      "<m:GetAttachmentResponseMessage><m:Attachments><t:FileAttachment><t:Name>a</t:Name><t:Content>YQ==</"
      "t:Content>"
      "</t:FileAttachment><t:ItemAttachment><t:Message><t:MimeContent>Yg==</"
      "t:MimeContent><t:Attachments><t:FileAttachment>"
      "<t:Content>Yw==</t:Content></t:FileAttachment></t:Attachments></t:Message></"
      "t:ItemAttachment><t:FileAttachment>"
      "<t:Content/></t:FileAttachment></m:Attachments></m:GetAttachmentResponseMessage>");
  const Read done = read(text, 11);
  EXPECT_EQ(done.error, "");
  EXPECT_EQ(done.contents, (std::map<std::size_t, std::string>{{0, "a"}, {1, "b"}, {2, "c"}, {3, ""}}));
  EXPECT_EQ(done.places, (std::vector<ContentPlace>{{ContentPlace::Kind::attachment, 0, 0, 0, 0},
                                                    {ContentPlace::Kind::mime, 0, 1, 1, 1},
                                                    {ContentPlace::Kind::attachment, 0, 1, 1, 2},
                                                    {ContentPlace::Kind::attachment, 0, 2, 0, 3}}));
}

TEST(BulkReader, LosesOneContentAndNotTheBatch) {
  BulkLimits limits;
  limits.content_octets = 6;
  const std::string text =
      response(mime_message("SGVs!G8=") + mime_message("SGVsbG8") + mime_message("SGVsb") +
               mime_message("SGVsbG8gd29ybGQ=") + mime_message("SGV<x>s</x>bG8=") + mime_message("SGk="));
  for (const std::size_t piece : {std::size_t{1}, std::size_t{64}, text.size()}) {
    const Read done = read(text, piece, limits);
    EXPECT_EQ(done.error, "");
    EXPECT_EQ(done.failures, (std::map<std::size_t, std::string>{
                                 {0, "bad-base64"}, {2, "bad-base64"}, {3, "too-large"}, {4, "bad-base64"}}));
    EXPECT_EQ(done.contents.at(1), "Hello");
    EXPECT_EQ(done.contents.at(5), "Hi");
  }
}

TEST(BulkReader, HoldsNoContent) {
  SeededRandom random(3);
  std::string octets(3 << 20, '\0');
  random.fill(std::as_writable_bytes(std::span(octets)));
  const std::string text = response(mime_message(base64_encode(octets)));
  const Read done = read(text, 16 * 1024);
  EXPECT_EQ(done.error, "");
  EXPECT_EQ(done.contents.at(0), octets);
  EXPECT_LE(done.largest_piece, 64u * 1024);
  EXPECT_LT(done.envelope.size(), 2000u);
}

TEST(BulkReader, LimitsTheEnvelopeAndSaysTruncated) {
  BulkLimits limits;
  limits.envelope_octets = 2000;
  EXPECT_EQ(read(response("<m:a>" + std::string(3000, 'x') + "</m:a>"), 100, limits).error, "too-large");
  const std::string text = response(mime_message("SGVsbG8="));
  for (std::size_t length = text.find("<s:Env") + 1; length < text.size(); length += 7) {
    EXPECT_EQ(read(std::string_view(text).substr(0, length), 50).error, "truncated") << length;
  }
}

}  // namespace
}  // namespace syncline::ews::xml
