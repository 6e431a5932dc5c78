// bad: place
