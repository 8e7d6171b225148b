readColors();
if (data.page === "run") runPage();
else reportPage();
