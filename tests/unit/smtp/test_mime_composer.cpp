// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/smtp/driver/mime_composer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/object.hpp>

namespace syncline::smtp {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string composed(const sync::WriteOrder& order) {
  const Compose compose = mime_composer({.address = "desk@contoso.example", .name = "Desk"});
  auto message = compose(order, {.message_id = "<op@contoso.example>"}, sync::OpenContent());
  if (!message) {
    ADD_FAILURE() << message.error().describe();
    return {};
  }
  std::string text;
  std::byte buffer[4096];
  for (;;) {
    auto count = message->text->read(buffer);
    if (!count || *count == 0) break;
    text.append(reinterpret_cast<const char*>(buffer), *count);
  }
  return text;
}

class MimeComposer : public ::testing::Test {
 protected:
  MimeComposer() {
    order.what = sync::WriteOrder::What::send;
    order.operation_id = "op";
    order.fields["subject"] = "x";
    order.fields["toRecipients"] =
        boost::json::array{boost::json::object{{"emailAddress", "bo@partner.example"}}};
  }
  sync::WriteOrder order;
};

TEST_F(MimeComposer, AMessageOfTheMailboxsOwnIsFromItAndNamesNoSender) {
  const std::string text = composed(order);
  EXPECT_THAT(text, HasSubstr("From: Desk <desk@contoso.example>\r\n"));
  EXPECT_THAT(text, Not(HasSubstr("Sender:")));
}

TEST_F(MimeComposer, OnBehalfOfAnotherTheMailboxIsTheSender) {
  order.send_as = "boss@contoso.example";
  EXPECT_THAT(composed(order), HasSubstr("From: boss@contoso.example\r\n"));
  EXPECT_THAT(composed(order), HasSubstr("Sender: Desk <desk@contoso.example>\r\n"));
  order.fields["from"] = boost::json::object{{"name", "The Boss"}, {"emailAddress", "Boss@contoso.example"}};
  EXPECT_THAT(composed(order), HasSubstr("From: The Boss <boss@contoso.example>\r\n"));
  // A name that belongs to another address is not put beside this one.
  order.fields["from"] = boost::json::object{{"name", "Eve"}, {"emailAddress", "eve@evil.example"}};
  EXPECT_THAT(composed(order), Not(HasSubstr("Eve")));
  EXPECT_THAT(composed(order), Not(HasSubstr("evil.example")));
}

}  // namespace
}  // namespace syncline::smtp
