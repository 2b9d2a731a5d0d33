// SPDX-License-Identifier: GPL-3.0-or-later
#include "service/engine/leg_credentials.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace syncline::service {
namespace {

using model::AuthenticationMethod;
using model::AuthenticationProtocol;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(LegCredentials, OutgoingTakesTheProtocolOfIncomingUnlessItsMethodIsAnother) {
  model::Profile profile;
  EXPECT_EQ(authentication_protocol(profile, Direction::incoming), AuthenticationProtocol::automatic);
  profile.incoming.method = AuthenticationMethod::mailbox_credentials;
  profile.incoming.authentication_protocol = AuthenticationProtocol::ntlm;
  EXPECT_EQ(authentication_protocol(profile, Direction::incoming), AuthenticationProtocol::ntlm);
  EXPECT_EQ(authentication_protocol(profile, Direction::outgoing), AuthenticationProtocol::ntlm);
  profile.outgoing.user_name = "out@mail.example";
  EXPECT_EQ(authentication_protocol(profile, Direction::outgoing), AuthenticationProtocol::ntlm);
  profile.outgoing.method = AuthenticationMethod::gmail_oauth;
  EXPECT_EQ(authentication_protocol(profile, Direction::outgoing), AuthenticationProtocol::automatic);
  profile.outgoing.authentication_protocol = AuthenticationProtocol::oauth;
  EXPECT_EQ(authentication_protocol(profile, Direction::outgoing), AuthenticationProtocol::oauth);
  profile.same_settings_for_outgoing = true;
  EXPECT_EQ(authentication_protocol(profile, Direction::outgoing), AuthenticationProtocol::ntlm);
}

TEST(LegCredentials, AProtocolAllowsItsMechanismsAlone) {
  EXPECT_THAT(mechanisms_of(AuthenticationProtocol::automatic), IsEmpty());
  EXPECT_THAT(mechanisms_of(AuthenticationProtocol::negotiate), ElementsAre("GSSAPI"));
  EXPECT_THAT(mechanisms_of(AuthenticationProtocol::ntlm), ElementsAre("NTLM"));
  EXPECT_THAT(mechanisms_of(AuthenticationProtocol::basic), ElementsAre("PLAIN", "LOGIN"));
  EXPECT_THAT(mechanisms_of(AuthenticationProtocol::oauth), ElementsAre("OAUTHBEARER", "XOAUTH2"));
}

TEST(LegCredentials, AnOutgoingPasswordCountsUnlessBothAreSaidToBeTheSame) {
  model::Profile profile;
  EXPECT_THAT(password_kinds(profile, Direction::incoming), ElementsAre("password"));
  EXPECT_THAT(password_kinds(profile, Direction::outgoing), ElementsAre("out-password", "password"));
  profile.same_settings_for_outgoing = true;
  EXPECT_THAT(password_kinds(profile, Direction::outgoing), ElementsAre("password"));
}

}  // namespace
}  // namespace syncline::service
