# frozen_string_literal: true

class User < ActiveRecord::Base
  devise :database_authenticatable, :registerable, :recoverable, :rememberable, :trackable,
         :confirmable, :lockable, :timeoutable

  def active_for_authentication?
    super && deleted_at.nil?
  end

  def inactive_message
    deleted_at ? :deleted_account : super
  end
end
